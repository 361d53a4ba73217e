/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "packs/pack-store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "base/io.h"
#include "packs/oldest.h"
#include "packs/pack-file.h"

#define SUFFIX ".pack"
/* So many packs are read by each build, at most. */
#define PACKS_MAX 64
/* What a file system must have left for a store to grow: the build itself comes first. */
#define RESERVE ((guint64) 1 << 30)

typedef struct {
    char *name;
    int fd;
    GArray *entries; /* of PackEntry */
    atomic_bool used, damaged;
} Pack;

typedef struct {
    Pack *pack;
    const PackEntry *entry;
} Place;

struct PackStore {
    int directory;
    guint64 limit;
    GPtrArray *packs;  /* of Pack */
    GHashTable *known; /* key, borrowed of a PackEntry -> Place; not changed after the store was opened */
    atomic_ullong found;
    guint damaged_at_first;
    /* What follows is under the lock. */
    GMutex lock;
    int fd; /* of the new pack, which has no name yet; -1: there can be none */
    guint64 size;
    GArray *added;     /* of PackEntry */
    GHashTable *names; /* the keys of those */
    char *failure;
};

static guint key_hash(gconstpointer key) {
    guint hash;
    memcpy(&hash, key, sizeof hash);
    return hash;
}

static gboolean key_equal(gconstpointer a, gconstpointer b) {
    return memcmp(a, b, SHA256_SIZE) == 0;
}

static void pack_free(gpointer data) {
    Pack *pack = data;
    cleanup_fd(&pack->fd);
    g_free(pack->name);
    if (pack->entries)
        g_array_unref(pack->entries);
    g_free(pack);
}

/* ---- what is there ---- */

/* NULL: it has gone, or is none of ours to read. A damaged one is removed. */
static Pack *open_pack(PackStore *store, const char *name) {
    struct stat st;
    AUTO_FD fd = openat(store->directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return NULL;
    GArray *entries = pack_file_read_index(fd, (guint64) st.st_size, NULL);
    if (!entries) {
        if (unlinkat(store->directory, name, 0) == 0)
            store->damaged_at_first++;
        return NULL;
    }
    Pack *pack = g_new0(Pack, 1);
    pack->name = g_strdup(name);
    pack->fd = steal_fd(&fd);
    pack->entries = entries;
    return pack;
}

static void read_packs(PackStore *store) {
    g_autoptr(GPtrArray) names = list_directory_at(store->directory, ".", NULL);
    for (guint i = 0; names && i < names->len; i++) {
        Pack *pack = g_str_has_suffix(names->pdata[i], SUFFIX) ? open_pack(store, names->pdata[i]) : NULL;
        if (!pack)
            continue;
        g_ptr_array_add(store->packs, pack);
        for (guint n = 0; n < pack->entries->len; n++) {
            Place *place = g_new(Place, 1);
            *place = (Place){pack, &g_array_index(pack->entries, PackEntry, n)};
            g_hash_table_insert(store->known, (gpointer) place->entry->key, place);
        }
    }
}

gboolean pack_store_find(PackStore *store, const guint8 key[static SHA256_SIZE], guint8 *out, gsize size_max,
        gsize *ret_size) {
    const Place *place = g_hash_table_lookup(store->known, key);
    if (!place || place->entry->size > size_max || atomic_load(&place->pack->damaged))
        return FALSE;
    if (!pack_file_read_value(place->pack->fd, place->entry, out, NULL)) {
        atomic_store(&place->pack->damaged, true);
        return FALSE;
    }
    atomic_store(&place->pack->used, true);
    atomic_fetch_add(&store->found, 1);
    *ret_size = place->entry->size;
    return TRUE;
}

/* ---- what is added ---- */

static gboolean has_room(int directory) {
    struct statvfs st;
    return fstatvfs(directory, &st) == 0 && (guint64) st.f_bavail * st.f_frsize >= RESERVE;
}

/* A file without a name: a process that is killed leaves nothing behind. */
static void open_new_pack(PackStore *store) {
    store->fd = -1;
    if (!has_room(store->directory))
        store->failure = g_strdup("the file system is nearly full");
    else if ((store->fd = openat(store->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) < 0)
        store->failure = g_strdup(g_strerror(errno));
}

PackStore *pack_store_open(const char *directory, guint64 limit, PackStoreFlags flags, GError **error) {
    if (g_mkdir_with_parents(directory, 0700) < 0) {
        set_errno_error(error, errno, "Cannot create %s", directory);
        return NULL;
    }
    AUTO_FD fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        set_errno_error(error, errno, "Cannot open %s", directory);
        return NULL;
    }
    PackStore *store = g_new0(PackStore, 1);
    store->directory = steal_fd(&fd);
    store->limit = limit;
    store->packs = g_ptr_array_new_with_free_func(pack_free);
    store->known = g_hash_table_new_full(key_hash, key_equal, NULL, g_free);
    store->added = g_array_new(FALSE, FALSE, sizeof(PackEntry));
    store->names = g_hash_table_new_full(key_hash, key_equal, g_free, NULL);
    g_mutex_init(&store->lock);
    if (!(flags & PACK_STORE_FORGET))
        read_packs(store);
    open_new_pack(store);
    return store;
}

/* A place for SIZE bytes; FALSE when there is none, or the value is there already. Called with the lock held. */
static gboolean take_place(PackStore *store, const guint8 *key, gsize size, PackEntry *entry) {
    if (store->fd < 0 || g_hash_table_contains(store->names, key) || store->size + size > store->limit)
        return FALSE;
    entry->offset = store->size;
    store->size += size;
    g_hash_table_add(store->names, g_memdup2(key, SHA256_SIZE));
    return TRUE;
}

static void fail(PackStore *store, const GError *error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&store->lock);
    if (!store->failure)
        store->failure = g_strdup(error->message);
}

void pack_store_add(PackStore *store, const guint8 key[static SHA256_SIZE], const void *value, gsize size) {
    PackEntry entry = {.size = (guint32) size};
    g_autoptr(GError) error = NULL;

    g_mutex_lock(&store->lock);
    gboolean taken = !store->failure && take_place(store, key, size, &entry);
    g_mutex_unlock(&store->lock);
    if (!taken)
        return;
    memcpy(entry.key, key, SHA256_SIZE);
    sha256_buffer(value, size, entry.digest);
    if (!pwrite_all(store->fd, value, size, entry.offset, &error)) {
        fail(store, error);
        return;
    }
    g_mutex_lock(&store->lock);
    g_array_append_val(store->added, entry);
    g_mutex_unlock(&store->lock);
}

/* ---- the end ---- */

static int compare_entries(gconstpointer a, gconstpointer b) {
    return memcmp(((const PackEntry *) a)->key, ((const PackEntry *) b)->key, SHA256_SIZE);
}

/* Gives the new pack its name. */
static void keep_added(PackStore *store) {
    g_autoptr(GError) error = NULL;
    g_autofree char *name = NULL, *file = NULL, *self = g_strdup_printf("/proc/self/fd/%d", store->fd);

    if (store->fd < 0 || store->failure || store->added->len == 0)
        return;
    g_array_sort(store->added, compare_entries);
    if (!pack_file_finish(store->fd, store->size, store->added, &name, &error)) {
        store->failure = g_strdup(error->message);
        return;
    }
    file = g_strconcat(name, SUFFIX, NULL);
    if (linkat(AT_FDCWD, self, store->directory, file, AT_SYMLINK_FOLLOW) < 0 && errno != EEXIST)
        store->failure = g_strdup(g_strerror(errno));
}

/* Packs that served say so by their time; damaged ones go. */
static guint settle_packs(PackStore *store) {
    guint removed = store->damaged_at_first;
    for (guint i = 0; i < store->packs->len; i++) {
        const Pack *pack = store->packs->pdata[i];
        if (atomic_load(&pack->damaged))
            removed += unlinkat(store->directory, pack->name, 0) == 0;
        else if (atomic_load(&pack->used))
            ignore_failure(utimensat(store->directory, pack->name, NULL, 0) == 0);
    }
    return removed;
}

void pack_store_close(PackStore *store, PackStoreReport *ret) {
    if (!store)
        return;
    keep_added(store);
    guint damaged = settle_packs(store);
    guint forgotten = remove_oldest(store->directory, SUFFIX, store->limit, PACKS_MAX, 0);
    if (ret)
        *ret = (PackStoreReport){
                .found = atomic_load(&store->found),
                .added = store->added->len,
                .damaged = damaged,
                .forgotten = forgotten,
                .failure = g_steal_pointer(&store->failure),
        };
    cleanup_fd(&store->fd);
    cleanup_fd(&store->directory);
    g_hash_table_unref(store->known);
    g_ptr_array_unref(store->packs);
    g_array_unref(store->added);
    g_hash_table_unref(store->names);
    g_mutex_clear(&store->lock);
    g_free(store->failure);
    g_free(store);
}
