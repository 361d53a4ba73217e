/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
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
#define NAME_LENGTH 14
#define DEPTH_MAX 16

typedef struct {
    const BackupPlan *plan;
    Store *from, *to;
    GPtrArray *entries;
    GHashTable *digests; /* inode of an object ("DEVICE:INODE") -> digest */
    guint64 added, bytes;
    int lock; /* the directory that it goes to: one at a time */
} Backup;

static void backup_clear(Backup *backup) {
    g_clear_pointer(&backup->from, store_free);
    g_clear_pointer(&backup->to, store_free);
    g_clear_pointer(&backup->entries, g_ptr_array_unref);
    g_clear_pointer(&backup->digests, g_hash_table_unref);
    cleanup_fd(&backup->lock);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Backup, backup_clear)

static char *name_inode(const struct stat *about) {
    return g_strdup_printf(
            "%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64) about->st_dev, (guint64) about->st_ino);
}

/* The bytes that FD has now. EXPECTED may be NULL. RET_DIGEST is owned by the caller. */
static gboolean copy(
        Backup *backup, int fd, const char *expected, char **ret_digest, gint64 *ret_size, GError **error) {
    g_autofree guint8 *block = g_malloc(BLOCK);
    g_autoptr(StoreUpload) upload = NULL;
    struct stat about;
    guint64 done = 0;

    if (fstat(fd, &about) < 0)
        return set_errno_error(error, errno, "Cannot examine a file");
    upload = store_upload_new(backup->to, expected, G_MAXINT64, error);
    if (!upload)
        return FALSE;
    /* A log may grow while it is read. */
    while (done < (guint64) about.st_size) {
        gssize n = pread_up_to(fd, block, MIN(BLOCK, (gsize) ((guint64) about.st_size - done)), done);

        if (n < 0)
            return set_errno_error(error, errno, "Cannot read");
        if (n == 0)
            break;
        if (!store_upload_write(upload, block, (gsize) n, error))
            return FALSE;
        done += (guint64) n;
    }
    backup->added++;
    backup->bytes += done;
    return store_upload_commit(upload, ret_digest, ret_size, error);
}

/* The digest of what FD has, where the directory has those bytes already; NULL: it has not. */
static char *find(Backup *backup, int fd) {
    guint8 digest[SHA256_SIZE];
    g_autofree char *hex = sha256_fd(fd, digest, NULL) ? hex_encode(digest, sizeof digest) : NULL;

    return hex && store_has(backup->to, hex) ? g_steal_pointer(&hex) : NULL;
}

/* ---- objects ---- */

static gboolean take_object(Backup *backup, const char *digest, GError **error) {
    g_autofree char *path = g_strdup_printf("store/objects/%.2s/%s", digest, digest + 2);
    gint64 size = 0;
    AUTO_FD fd = store_get(backup->from, digest, &size, error);
    struct stat about;

    if (fd < 0)
        return FALSE;
    if (!store_has(backup->to, digest) && !copy(backup, fd, digest, NULL, NULL, error)) {
        g_prefix_error(error, "The object %s is damaged: ", digest);
        return FALSE;
    }
    if (fstat(fd, &about) == 0)
        g_hash_table_insert(backup->digests, name_inode(&about), g_strdup(digest));
    g_ptr_array_add(backup->entries, backup_file_new(path, 0444, digest, size));
    return TRUE;
}

/* The store is what it is: objects that are no object are somebody's mistake, and not ours to carry on. */
static gboolean take_objects(Backup *backup, GError **error) {
    g_autofree char *top = g_build_filename(backup->plan->store, "objects", NULL);
    g_autoptr(GPtrArray) groups = list_directory(top, error);

    for (guint i = 0; groups && i < groups->len; i++) {
        g_autofree char *group = g_build_filename(top, groups->pdata[i], NULL);
        g_autoptr(GPtrArray) names = list_directory_if_any(group);

        for (guint k = 0; k < names->len; k++) {
            g_autofree char *digest = g_strconcat(groups->pdata[i], names->pdata[k], NULL);

            if (hex_is_lower(digest, SHA256_HEX_SIZE) && strlen(digest) == SHA256_HEX_SIZE &&
                    !take_object(backup, digest, error))
                return FALSE;
        }
    }
    return groups != NULL;
}

/* ---- other files ---- */

/* The file NAME in DIR_FD, as PATH. */
static gboolean take_file(
        Backup *backup, int dir_fd, const char *name, const char *path, gboolean is_public, GError **error) {
    AUTO_FD fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    g_autofree char *digest = NULL;
    g_autofree char *inode = NULL;
    gint64 size = 0;
    struct stat about;
    guint mode = 0600;

    if (fd < 0 || fstat(fd, &about) < 0)
        return set_errno_error(error, errno, "Cannot read %s", path);
    if (!S_ISREG(about.st_mode))
        return TRUE;
    if (is_public)
        mode = about.st_mode & S_IWUSR ? 0644 : 0444;
    inode = name_inode(&about);
    digest = g_strdup(g_hash_table_lookup(backup->digests, inode));
    size = about.st_size;
    /* What has grown meanwhile has other bytes than that size, and is copied. */
    if (!digest && (digest = find(backup, fd)) && (fstat(fd, &about) < 0 || about.st_size != size))
        g_clear_pointer(&digest, g_free);
    if (!digest && !copy(backup, fd, NULL, &digest, &size, error)) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    g_ptr_array_add(backup->entries, backup_file_new(path, mode, digest, size));
    return TRUE;
}

static gboolean take_link(Backup *backup, int dir_fd, const char *name, const char *path, GError **error) {
    char target[1024];
    gssize n = readlinkat(dir_fd, name, target, sizeof target - 1);

    if (n < 0)
        return set_errno_error(error, errno, "Cannot read the link %s", path);
    target[n] = '\0';
    g_ptr_array_add(backup->entries, backup_link_new(path, target));
    return TRUE;
}

/* Links, or everything else, below a directory. Links come first: what they lead to is there when they are read, and stays. */
static gboolean take_directory(
        Backup *backup, int parent, const char *name, const char *path, gboolean links, guint depth, GError **error) {
    AUTO_FD fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    g_autoptr(GPtrArray) names = fd >= 0 ? list_directory_at(fd, ".", error) : NULL;

    if (fd < 0)
        return set_errno_error(error, errno, "Cannot open %s", path);
    for (guint i = 0; names && i < names->len; i++) {
        g_autofree char *below = g_strdup_printf("%s/%s", path, (const char *) names->pdata[i]);
        struct stat about;
        gboolean good = TRUE;

        /* Sets that were being made go. */
        if (fstatat(fd, names->pdata[i], &about, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISDIR(about.st_mode) && depth < DEPTH_MAX)
            good = take_directory(backup, fd, names->pdata[i], below, links, depth + 1, error);
        else if (S_ISLNK(about.st_mode) && links)
            good = take_link(backup, fd, names->pdata[i], below, error);
        else if (S_ISREG(about.st_mode) && !links)
            good = take_file(backup, fd, names->pdata[i], below, g_str_has_prefix(path, "publish"), error);
        if (!good)
            return FALSE;
    }
    return names != NULL;
}

/* ---- the database ---- */

static gboolean take_database(Backup *backup, const char *directory, GError **error) {
    g_autofree char *copy_path = g_build_filename(directory, "database.new", NULL);
    g_autoptr(Database) database = database_open_unchanged(backup->plan->database, error);
    gboolean good = FALSE;

    (void) g_unlink(copy_path);
    good = database && database_backup(database, copy_path, error) &&
           take_file(backup, AT_FDCWD, copy_path, "database", FALSE, error);
    (void) g_unlink(copy_path);
    return good;
}

/* ---- the copy ---- */

static gboolean write_inventory(
        Backup *backup, const char *directory, const char *name, char **ret_digest, GError **error) {
    g_autofree char *text = backup_inventory_write(backup->entries);
    g_autofree char *snapshots = g_build_filename(directory, "snapshots", NULL);
    g_autofree char *path = g_build_filename(snapshots, name, NULL);
    guint8 digest[SHA256_SIZE];

    for (guint i = 0; i < backup->entries->len; i++)
        if (!backup_entry_check(backup->entries->pdata[i], error))
            return FALSE;
    if (g_mkdir_with_parents(snapshots, 0700) < 0)
        return set_errno_error(error, errno, "Cannot make %s", snapshots);
    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, BACKUP_ERROR, 0, "%s is there already", path);
        return FALSE;
    }
    if (!g_file_set_contents_full(
                path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0400, error))
        return FALSE;
    sha256_buffer(text, strlen(text), digest);
    *ret_digest = hex_encode(digest, sizeof digest);
    return TRUE;
}

static gboolean take_all(Backup *backup, const char *directory, GError **error) {
    const BackupPlan *plan = backup->plan;
    g_autofree char *logs = g_build_filename(plan->store, "logs", NULL);

    /* What the database knows is there before, and nothing goes while we hold the store. */
    return take_database(backup, directory, error) &&
           take_directory(backup, AT_FDCWD, plan->publish, "publish", TRUE, 0, error) && take_objects(backup, error) &&
           take_directory(backup, AT_FDCWD, plan->publish, "publish", FALSE, 0, error) &&
           take_directory(backup, AT_FDCWD, logs, "store/logs", FALSE, 0, error) &&
           take_file(backup, AT_FDCWD, plan->configuration, "configuration", FALSE, error);
}

static gboolean lock_directory(Backup *backup, const char *directory, GError **error) {
    if (g_mkdir_with_parents(directory, 0700) < 0 ||
            (backup->lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return set_errno_error(error, errno, "Cannot use %s", directory);
    if (flock(backup->lock, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
    g_set_error(error, BACKUP_ERROR, 0, "Another copy is being made in %s", directory);
    return FALSE;
}

gboolean backup_make(
        const BackupPlan *plan, const char *directory, const char *name, char **ret_digest, GError **error) {
    g_auto(Backup) backup = {.plan = plan, .lock = -1};
    g_autofree char *line = NULL;

    if (strlen(name) != NAME_LENGTH || strspn(name, "0123456789") != NAME_LENGTH) {
        g_set_error(error, BACKUP_ERROR, 0, "\"%s\" is no name of a copy", name);
        return FALSE;
    }
    if (path_is_below(directory, plan->store)) {
        g_set_error(error, BACKUP_ERROR, 0, "%s lies in the store %s: take another disk", directory, plan->store);
        return FALSE;
    }
    if (!lock_directory(&backup, directory, error))
        return FALSE;
    backup.entries = g_ptr_array_new_with_free_func((GDestroyNotify) backup_entry_free);
    backup.digests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    backup.from = store_open_reader(plan->store, error);
    if (!backup.from || !store_hold(backup.from, error) || !(backup.to = store_open(directory, error)) ||
            !take_all(&backup, directory, error) || !write_inventory(&backup, directory, name, ret_digest, error))
        return FALSE;
    line = g_strdup_printf("%u files and links; %" G_GUINT64_FORMAT " files with %" G_GUINT64_FORMAT
                           " bytes were read into %s",
            backup.entries->len, backup.added, backup.bytes, directory);
    plan->say(plan->user, line);
    return TRUE;
}
