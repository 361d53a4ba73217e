/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tlog-store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "base/io.h"

struct TlogStore {
    char *directory;
    TlogVerifier verifier;
    TlogTree *tree;
    guint64 shown;      /* entries that the checkpoint has */
    gboolean noted;     /* there is a checkpoint */
    GPtrArray *bundles; /* of GByteArray: those that change, from the bundle of SHOWN on */
};

void tlog_store_free(TlogStore *store) {
    if (!store)
        return;
    g_free(store->directory);
    tlog_verifier_clear(&store->verifier);
    tlog_tree_free(store->tree);
    g_ptr_array_unref(store->bundles);
    g_free(store);
}

guint64 tlog_store_get_size(const TlogStore *store) {
    return tlog_tree_get_size(store->tree);
}

TlogReader tlog_store_reader(const TlogStore *store) {
    return tlog_tree_reader(store->tree);
}

static gboolean damaged(GError **error, const TlogStore *store, const char *what) {
    g_set_error(error, TLOG_ERROR, TLOG_ERROR_DAMAGED, "The log in %s is damaged: %s", store->directory, what);
    return FALSE;
}

/* ---- files ---- */

static gboolean sync_directory(const char *path, GError **error) {
    AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return (fd >= 0 && fsync(fd) == 0) || set_errno_error(error, errno, "Cannot write %s", path);
}

/* DURABLE: it is on the disk afterwards. What can be made anew from other files need not be. */
static gboolean write_file(
        const TlogStore *store, const char *name, const void *data, gsize size, gboolean durable, GError **error) {
    g_autofree char *path = g_build_filename(store->directory, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_autofree char *fresh = g_strconcat(path, ".new", NULL);
    AUTO_FD fd = -1;

    if (g_mkdir_with_parents(parent, 0755) < 0)
        return set_errno_error(error, errno, "Cannot make %s", parent);
    fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0 || !write_all(fd, data, size) || (durable && fsync(fd) < 0) || rename(fresh, path) < 0) {
        set_errno_error(error, errno, "Cannot write %s", path);
        (void) unlink(fresh);
        return FALSE;
    }
    return !durable || sync_directory(parent, error);
}

/* The file NAME of at most LARGEST bytes; NULL, without an error, when it is not there or is no such file. */
static GBytes *read_file(const TlogStore *store, const char *name, gsize largest) {
    g_autofree char *path = g_build_filename(store->directory, name, NULL);
    AUTO_FD fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0 || (guint64) st.st_size > largest)
        return NULL;
    g_autofree guint8 *data = g_malloc(MAX(st.st_size, 1));
    return pread_all(fd, data, (gsize) st.st_size, 0, NULL) ? g_bytes_new(data, (gsize) st.st_size) : NULL;
}

/* A tile of a log that was longer may have taken the place of a part of it. */
static GBytes *read_tile(const TlogStore *store, guint level, guint64 index, guint width, gsize largest) {
    g_autofree char *path = tlog_tile_path(level, index, width);
    g_autofree char *full = tlog_tile_path(level, index, TLOG_TILE_WIDTH);
    GBytes *tile = read_file(store, path, largest);

    return tile ? tile : read_file(store, full, largest);
}

/* What is left of the tile before it was full. */
static void remove_parts(const TlogStore *store, guint level, guint64 index) {
    g_autofree char *name = tlog_tile_path(level, index, TLOG_TILE_WIDTH);
    g_autofree char *path = g_strdup_printf("%s/%s.p", store->directory, name);
    g_autoptr(GPtrArray) parts = list_directory_if_any(path);

    for (guint i = 0; i < parts->len; i++) {
        g_autofree char *part = g_build_filename(path, parts->pdata[i], NULL);
        (void) g_unlink(part);
    }
    (void) g_rmdir(path);
}

static gboolean write_tile(
        const TlogStore *store, guint level, guint64 index, guint width, const void *data, gsize size, GError **error) {
    g_autofree char *path = tlog_tile_path(level, index, width);

    if (!write_file(store, path, data, size, level == TLOG_TILE_ENTRIES, error))
        return FALSE;
    if (width == TLOG_TILE_WIDTH)
        remove_parts(store, level, index);
    return TRUE;
}

/* ---- tiles of hashes ---- */

static gboolean is_there(const TlogStore *store, guint level, guint64 index, guint width, const TlogHash *hashes) {
    g_autofree char *path = tlog_tile_path(level, index, width);
    g_autoptr(GBytes) tile = read_file(store, path, TLOG_TILE_WIDTH * SHA256_SIZE);

    return tile && g_bytes_get_size(tile) == (gsize) width * SHA256_SIZE &&
           memcmp(g_bytes_get_data(tile, NULL), hashes, (gsize) width * SHA256_SIZE) == 0;
}

static gboolean write_hash_tile(const TlogStore *store, guint level, guint64 index, gboolean missing, GError **error) {
    guint width = tlog_tile_width(level, index, tlog_store_get_size(store));
    TlogReader reader = tlog_store_reader(store);
    TlogHash hashes[TLOG_TILE_WIDTH];

    for (guint i = 0; i < width; i++)
        if (!reader.read(reader.user, level * TLOG_TILE_HEIGHT, index * TLOG_TILE_WIDTH + i, &hashes[i], error))
            return FALSE;
    return (missing && is_there(store, level, index, width, hashes)) ||
           write_tile(store, level, index, width, hashes, (gsize) width * SHA256_SIZE, error);
}

/* The tiles that the log has beyond those of its first OLD entries; with MISSING those alone that are not there, or not as they have to be. */
static gboolean write_hashes(const TlogStore *store, guint64 old, gboolean missing, GError **error) {
    guint64 size = tlog_store_get_size(store);

    for (guint level = 0; tlog_tile_level_size(level, size) > 0; level++) {
        guint64 from = tlog_tile_level_size(level, old), to = tlog_tile_level_size(level, size);
        for (guint64 index = from / TLOG_TILE_WIDTH; from < to && index * TLOG_TILE_WIDTH < to; index++)
            if (!write_hash_tile(store, level, index, missing, error))
                return FALSE;
    }
    return TRUE;
}

/* ---- start ---- */

/* The hashes of all leaves, from their tiles or from the entries. */
static gboolean add_hashes(TlogStore *store, guint64 index, guint width) {
    g_autoptr(GBytes) tile = read_tile(store, 0, index, width, TLOG_TILE_WIDTH * SHA256_SIZE);
    gsize size = 0;
    const guint8 *data = tile ? g_bytes_get_data(tile, &size) : NULL;

    if (size < (gsize) width * SHA256_SIZE)
        return FALSE;
    for (guint i = 0; i < width; i++) {
        TlogHash hash;
        memcpy(hash.bytes, data + (gsize) i * SHA256_SIZE, SHA256_SIZE);
        tlog_tree_append(store->tree, &hash);
    }
    return TRUE;
}

/* The entries of the bundle INDEX, or NULL. */
static GPtrArray *read_bundle(const TlogStore *store, guint64 index, guint width) {
    g_autoptr(GBytes) tile = read_tile(
            store, TLOG_TILE_ENTRIES, index, width, (gsize) TLOG_TILE_WIDTH * (TLOG_ENTRY_SIZE_MAX + 2));
    gsize size = 0;
    const guint8 *data = tile ? g_bytes_get_data(tile, &size) : NULL;
    GPtrArray *entries = data ? tlog_bundle_parse(data, size, width, NULL) : NULL;

    /* It may be full by now, for a checkpoint that was not written any more. */
    return entries || !data ? entries : tlog_bundle_parse(data, size, TLOG_TILE_WIDTH, NULL);
}

static gboolean add_entries(TlogStore *store, guint64 index, guint width) {
    g_autoptr(GPtrArray) entries = read_bundle(store, index, width);

    for (guint i = 0; entries && i < width; i++) {
        gsize size;
        const void *data = g_bytes_get_data(entries->pdata[i], &size);
        TlogHash hash = tlog_leaf_hash(data, size);
        tlog_tree_append(store->tree, &hash);
    }
    return entries != NULL;
}

static gboolean load(TlogStore *store, const TlogCheckpoint *checkpoint,
        gboolean (*add)(TlogStore *store, guint64 index, guint width)) {
    tlog_tree_free(store->tree);
    store->tree = tlog_tree_new();
    for (guint64 index = 0; index * TLOG_TILE_WIDTH < checkpoint->size; index++)
        if (!add(store, index, tlog_tile_width(0, index, checkpoint->size)))
            return FALSE;
    TlogHash root = tlog_tree_get_root(store->tree);
    return tlog_hash_equal(&root, &checkpoint->root);
}

/* The bundle that the next entry comes into. */
static gboolean load_last_bundle(TlogStore *store, GError **error) {
    guint64 index = store->shown / TLOG_TILE_WIDTH;
    guint width = (guint) (store->shown % TLOG_TILE_WIDTH);
    GByteArray *bundle = g_byte_array_new();

    g_ptr_array_add(store->bundles, bundle);
    g_autoptr(GPtrArray) entries = width > 0 ? read_bundle(store, index, width) : NULL;
    if (width > 0 && !entries)
        return damaged(error, store, "its last entries are missing");
    for (guint i = 0; i < width; i++)
        tlog_bundle_append(bundle, g_bytes_get_data(entries->pdata[i], NULL), g_bytes_get_size(entries->pdata[i]));
    return TRUE;
}

static gboolean start(TlogStore *store, GError **error) {
    g_autoptr(GBytes) note = read_file(store, "checkpoint", TLOG_NOTE_SIZE_MAX);
    g_auto(TlogCheckpoint) checkpoint = {NULL};
    gsize size = 0;
    const char *data = note ? g_bytes_get_data(note, &size) : NULL;

    if (!data)
        return load_last_bundle(store, error);
    if (!tlog_checkpoint_open(data, size, &store->verifier, &checkpoint, error)) {
        g_prefix_error(error, "%s/checkpoint: ", store->directory);
        return FALSE;
    }
    store->shown = checkpoint.size;
    store->noted = TRUE;
    gboolean good = load(store, &checkpoint, add_hashes);
    if (!good && !load(store, &checkpoint, add_entries))
        return damaged(error, store, "its entries are not what its checkpoint says");
    return write_hashes(store, 0, good, error) && load_last_bundle(store, error);
}

TlogStore *tlog_store_open(const char *directory, const TlogVerifier *verifier, GError **error) {
    g_autoptr(TlogStore) store = g_new0(TlogStore, 1);

    store->directory = g_strdup(directory);
    store->verifier.name = g_strdup(verifier->name);
    memcpy(store->verifier.key, verifier->key, TLOG_KEY_SIZE);
    store->tree = tlog_tree_new();
    store->bundles = g_ptr_array_new_with_free_func((GDestroyNotify) g_byte_array_unref);
    return start(store, error) ? g_steal_pointer(&store) : NULL;
}

/* ---- growing ---- */

gboolean tlog_store_add(TlogStore *store, const void *entry, gsize size, GError **error) {
    GByteArray *bundle = store->bundles->pdata[store->bundles->len - 1];
    TlogHash hash;

    if (size > TLOG_ENTRY_SIZE_MAX) {
        g_set_error(error, TLOG_ERROR, TLOG_ERROR_MALFORMED, "An entry of %" G_GSIZE_FORMAT " bytes is too long", size);
        return FALSE;
    }
    hash = tlog_leaf_hash(entry, size);
    tlog_bundle_append(bundle, entry, size);
    tlog_tree_append(store->tree, &hash);
    if (tlog_store_get_size(store) % TLOG_TILE_WIDTH == 0)
        g_ptr_array_add(store->bundles, g_byte_array_new());
    return TRUE;
}

static gboolean write_bundles(const TlogStore *store, GError **error) {
    guint64 first = store->shown / TLOG_TILE_WIDTH;

    for (guint i = 0; i < store->bundles->len; i++) {
        const GByteArray *bundle = store->bundles->pdata[i];
        guint width = tlog_tile_width(0, first + i, tlog_store_get_size(store));
        if (width > 0 && !write_tile(store, TLOG_TILE_ENTRIES, first + i, width, bundle->data, bundle->len, error))
            return FALSE;
    }
    return TRUE;
}

gboolean tlog_store_publish(TlogStore *store, const char *note, GError **error) {
    g_auto(TlogCheckpoint) checkpoint = {NULL};
    TlogHash root = tlog_tree_get_root(store->tree);

    if (!tlog_checkpoint_open(note, strlen(note), &store->verifier, &checkpoint, error))
        return FALSE;
    if (checkpoint.size != tlog_store_get_size(store) || !tlog_hash_equal(&checkpoint.root, &root))
        return damaged(error, store, "its entries are not what its new checkpoint says");
    if (store->noted && checkpoint.size == store->shown)
        return TRUE;
    if (!write_bundles(store, error) || !write_hashes(store, store->shown, FALSE, error) ||
            !write_file(store, "checkpoint", note, strlen(note), TRUE, error))
        return FALSE;
    store->shown = checkpoint.size;
    store->noted = TRUE;
    if (store->bundles->len > 1)
        g_ptr_array_remove_range(store->bundles, 0, store->bundles->len - 1);
    return TRUE;
}
