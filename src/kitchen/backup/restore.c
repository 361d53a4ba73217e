/* SPDX-License-Identifier: LGPL-2.1-or-later */
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
#include "base/hex.h"
#include "base/io.h"
#include "base/sha256.h"
#include "kitchen/backup/backup.h"
#include "kitchen/model/database/database.h"
#include "kitchen/store/store.h"

#define BLOCK (1024 * 1024)
#define INVENTORY_MAX (1024 * 1024 * 1024)

typedef struct {
    const BackupPlan *plan;
    const char *directory;
    Store *from, *to;
    GPtrArray *entries;
    GHashTable *digests; /* a set: objects of the store */
    const BackupEntry *database;
} Restore;

static void restore_clear(Restore *restore) {
    g_clear_pointer(&restore->from, store_free);
    g_clear_pointer(&restore->to, store_free);
    g_clear_pointer(&restore->entries, g_ptr_array_unref);
    g_clear_pointer(&restore->digests, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Restore, restore_clear)

char *backup_newest(const char *directory, GError **error) {
    g_autofree char *path = g_build_filename(directory, "snapshots", NULL);
    g_autoptr(GPtrArray) names = list_directory(path, error);

    for (guint i = names ? names->len : 0; i > 0; i--)
        if (((const char *) names->pdata[i - 1])[0] != '.')
            return g_strdup(names->pdata[i - 1]);
    if (names)
        g_set_error(error, BACKUP_ERROR, 0, "%s has no copy", path);
    return NULL;
}

/* ---- reading and judging ---- */

static gboolean check_expected(const char *text, gsize size, const char *expected, GError **error) {
    guint8 digest[SHA256_SIZE];
    g_autofree char *hex = NULL;

    sha256_buffer(text, size, digest);
    hex = hex_encode(digest, sizeof digest);
    if (!expected || g_ascii_strcasecmp(expected, hex) == 0)
        return TRUE;
    g_set_error(error, BACKUP_ERROR, 0,
            "Its inventory has the digest %s, not %s: it is another one, or somebody changed it", hex, expected);
    return FALSE;
}

static gboolean read_inventory(Restore *restore, const char *name, const char *expected, GError **error) {
    g_autofree char *path = g_build_filename(restore->directory, "snapshots", name, NULL);
    AUTO_FD fd = strchr(name, '/') ? -1 : open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    g_autofree char *text = NULL;
    struct stat about;

    if (fd < 0 || fstat(fd, &about) < 0)
        return set_errno_error(error, errno ?: EINVAL, "Cannot open the copy %s", path);
    if (!S_ISREG(about.st_mode) || about.st_size > INVENTORY_MAX) {
        g_set_error(error, BACKUP_ERROR, 0, "It is no inventory");
        return FALSE;
    }
    text = g_malloc((gsize) about.st_size + 1);
    if (!pread_all(fd, text, (gsize) about.st_size, 0, error) ||
            !check_expected(text, (gsize) about.st_size, expected, error))
        return FALSE;
    restore->entries = backup_inventory_parse(text, (gsize) about.st_size, error);
    return restore->entries != NULL;
}

/* ONCE: another entry has the same bytes, and they were read. */
static gboolean check_bytes(Restore *restore, const BackupEntry *entry, gboolean once, GError **error) {
    guint8 digest[SHA256_SIZE];
    g_autofree char *hex = NULL;
    gint64 size = 0;
    AUTO_FD fd = store_get(restore->from, entry->digest, &size, error);

    if (fd < 0)
        return FALSE;
    if (size != entry->size) {
        g_set_error(error, BACKUP_ERROR, 0, "%s is damaged: it has another size", entry->path);
        return FALSE;
    }
    if (once)
        return TRUE;
    if (!sha256_fd(fd, digest, error))
        return FALSE;
    hex = hex_encode(digest, sizeof digest);
    if (strcmp(hex, entry->digest) == 0)
        return TRUE;
    g_set_error(error, BACKUP_ERROR, 0, "%s is damaged: its bytes have the digest %s, not %s", entry->path, hex,
            entry->digest);
    return FALSE;
}

/* All bytes, each once. */
static gboolean check_files(Restore *restore, GError **error) {
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < restore->entries->len; i++) {
        const BackupEntry *entry = restore->entries->pdata[i];

        if (entry->target)
            continue;
        if (!check_bytes(restore, entry, !g_hash_table_add(seen, entry->digest), error))
            return FALSE;
        if (strcmp(entry->path, "database") == 0)
            restore->database = entry;
        if (g_str_has_prefix(entry->path, "store/objects/"))
            g_hash_table_add(restore->digests, entry->digest);
    }
    if (!restore->database)
        g_set_error(error, BACKUP_ERROR, 0, "It has no database");
    return restore->database != NULL;
}

/* Copies what FROM has as DIGEST to the new file NAME in DIR_FD. */
static gboolean write_file(Restore *restore, const BackupEntry *entry, int dir_fd, const char *name, GError **error) {
    g_autofree char *beside = g_strconcat(".", name, ".restoring", NULL);
    g_autofree guint8 *block = g_malloc(BLOCK);
    AUTO_FD in = store_get(restore->from, entry->digest, NULL, error);
    AUTO_FD out = -1;
    guint64 done = 0;
    gssize n = 0;

    if (in < 0)
        return FALSE;
    (void) unlinkat(dir_fd, beside, 0);
    out = openat(dir_fd, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    while (out >= 0 && (n = pread_up_to(in, block, BLOCK, done)) > 0) {
        if (!write_all(out, block, (gsize) n))
            return set_errno_error(error, errno, "Cannot write %s", entry->path);
        done += (guint64) n;
    }
    if (out < 0 || n < 0 || fchmod(out, entry->mode) < 0 || fsync(out) < 0 ||
            renameat(dir_fd, beside, dir_fd, name) < 0 || fsync(dir_fd) < 0)
        return set_errno_error(error, errno, "Cannot write %s", entry->path);
    return TRUE;
}

static gpointer read_text(const DatabaseRows *rows) {
    return database_rows_dup(rows, 0);
}

/* The database at PATH is good, and each object that it knows is in the copy. */
static gboolean check_database(Restore *restore, const char *path, GError **error) {
    g_autoptr(Database) database = database_open_unchanged(path, error);
    g_autoptr(GPtrArray) objects =
            database && database_check(database, error)
                    ? database_list(database, "SELECT digest FROM object", DB_NONE, read_text, g_free, error)
                    : NULL;

    for (guint i = 0; objects && i < objects->len; i++)
        if (!objects->pdata[i] || !g_hash_table_contains(restore->digests, objects->pdata[i])) {
            g_set_error(error, BACKUP_ERROR, 0, "The database knows the object %s, which the copy lacks",
                    (const char *) objects->pdata[i]);
            return FALSE;
        }
    return objects != NULL;
}

static gboolean open_copy(Restore *restore, const char *name, const char *expected, GError **error) {
    restore->digests = g_hash_table_new(g_str_hash, g_str_equal);
    restore->from = store_open_reader(restore->directory, error);
    if (restore->from && read_inventory(restore, name, expected, error) && check_files(restore, error))
        return TRUE;
    g_prefix_error(error, "The copy %s in %s: ", name, restore->directory);
    return FALSE;
}

static void say(const Restore *restore, const char *name, const char *what) {
    g_autofree char *line = g_strdup_printf("%s: %u files and links %s", name, restore->entries->len, what);

    restore->plan->say(restore->plan->user, line);
}

gboolean backup_check(
        const BackupPlan *plan, const char *directory, const char *name, const char *expected, GError **error) {
    g_auto(Restore) restore = {.plan = plan, .directory = directory};
    g_autofree char *work = g_dir_make_tmp("particleos-backup-XXXXXX", error);
    g_autofree char *path = work ? g_build_filename(work, "database", NULL) : NULL;
    AUTO_FD fd = work ? open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    gboolean good = fd >= 0 && open_copy(&restore, name, expected, error) &&
                    write_file(&restore, restore.database, fd, "database", error) &&
                    check_database(&restore, path, error);

    for (guint i = 0; path && i < 3; i++) {
        g_autofree char *file = g_strconcat(path, i == 1 ? "-wal" : i == 2 ? "-shm" : "", NULL);
        (void) g_unlink(file);
    }
    if (work)
        (void) g_rmdir(work);
    if (good)
        say(&restore, name, "are as they were");
    return good;
}

/* ---- bringing back ---- */

/* The directory that PATH (behind the first word) lies in, below TOP. RET_NAME is a part of PATH. */
static int open_parent(const char *top, const char *path, const char **ret_name, GError **error) {
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    int fd = -1;

    if (g_mkdir_with_parents(top, 0755) == 0)
        fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (guint i = 0; fd >= 0 && parts[i + 1]; i++) {
        AUTO_FD here = fd;

        if (mkdirat(here, parts[i], 0755) < 0 && errno != EEXIST)
            fd = -1;
        else
            fd = openat(here, parts[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd < 0)
        set_errno_error(error, errno, "Cannot make the directory of %s in %s", path, top);
    const char *slash = strrchr(path, '/');
    *ret_name = slash ? slash + 1 : path;
    return fd;
}

static gboolean bring_object(Restore *restore, const BackupEntry *entry, GError **error) {
    AUTO_FD fd = store_get(restore->from, entry->digest, NULL, error);
    g_autoptr(StoreUpload) upload = fd >= 0 ? store_upload_new(restore->to, entry->digest, entry->size, error) : NULL;
    g_autofree guint8 *block = g_malloc(BLOCK);
    guint64 done = 0;
    gssize n = 0;

    while (upload && (n = pread_up_to(fd, block, BLOCK, done)) > 0) {
        if (!store_upload_write(upload, block, (gsize) n, error))
            return FALSE;
        done += (guint64) n;
    }
    if (n < 0)
        return set_errno_error(error, errno, "Cannot read the object %s", entry->digest);
    return upload && store_upload_commit(upload, NULL, NULL, error);
}

static gboolean bring_published(Restore *restore, const BackupEntry *entry, GError **error) {
    const char *path = entry->path + strlen("publish/"), *name = NULL;
    AUTO_FD fd = open_parent(restore->plan->publish, path, &name, error);

    if (fd < 0)
        return FALSE;
    (void) unlinkat(fd, name, 0);
    if (entry->target)
        return symlinkat(entry->target, fd, name) == 0 ||
               set_errno_error(error, errno, "Cannot make the link %s", path);
    if (g_hash_table_contains(restore->digests, entry->digest) && entry->mode == 0444)
        return store_link(restore->to, entry->digest, fd, name, error);
    return write_file(restore, entry, fd, name, error);
}

static gboolean bring_other(Restore *restore, const BackupEntry *entry, GError **error) {
    gboolean is_configuration = strcmp(entry->path, "configuration") == 0;
    const char *path = is_configuration ? "kitchen.conf.restored" : entry->path + strlen("store/"), *name = NULL;
    AUTO_FD fd = open_parent(restore->plan->store, path, &name, error);

    return fd >= 0 && write_file(restore, entry, fd, name, error);
}

/* Objects first: what is published are links to them. */
static gboolean bring_files(Restore *restore, gboolean objects, GError **error) {
    for (guint i = 0; i < restore->entries->len; i++) {
        const BackupEntry *entry = restore->entries->pdata[i];
        gboolean is_object = g_str_has_prefix(entry->path, "store/objects/");
        gboolean good = TRUE;

        if (entry == restore->database || is_object != objects)
            continue;
        if (is_object)
            good = bring_object(restore, entry, error);
        else if (g_str_has_prefix(entry->path, "publish/"))
            good = bring_published(restore, entry, error);
        else
            good = bring_other(restore, entry, error);
        if (!good)
            return FALSE;
    }
    return TRUE;
}

static gboolean bring_database(Restore *restore, GError **error) {
    g_autofree char *directory = g_path_get_dirname(restore->plan->database);
    g_autofree char *beside = g_strconcat(restore->plan->database, ".restoring", NULL);
    g_autofree char *base = g_path_get_basename(beside);
    AUTO_FD fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return set_errno_error(error, errno, "Cannot open %s", directory);
    if (!write_file(restore, restore->database, fd, base, error) || !check_database(restore, beside, error))
        return FALSE;
    if (renameat2(AT_FDCWD, beside, AT_FDCWD, restore->plan->database, RENAME_NOREPLACE) < 0 || fsync(fd) < 0)
        return set_errno_error(error, errno, "Cannot put the database at %s", restore->plan->database);
    return TRUE;
}

gboolean backup_restore(
        const BackupPlan *plan, const char *directory, const char *name, const char *expected, GError **error) {
    g_auto(Restore) restore = {.plan = plan, .directory = directory};

    if (g_file_test(plan->database, G_FILE_TEST_EXISTS)) {
        g_set_error(error, BACKUP_ERROR, 0,
                "%s is there: a copy is brought back where no service is. Move it away first", plan->database);
        return FALSE;
    }
    if (!open_copy(&restore, name, expected, error))
        return FALSE;
    restore.to = store_open(plan->store, error);
    if (!restore.to || !bring_files(&restore, TRUE, error) || !bring_files(&restore, FALSE, error) ||
            !bring_database(&restore, error))
        return FALSE;
    say(&restore, name, "are back");
    return TRUE;
}
