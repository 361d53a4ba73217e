/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/sha256.h"

#define BLOCK (1024 * 1024)
#define HOLE_MIN 4096

G_DEFINE_QUARK(particleos - store - error - quark, store_error)

struct Store {
    int objects; /* descriptors of directories */
    int uploads;
    gint next; /* upload, atomic */
    StoreFault fault;
    gpointer fault_user;
};

struct StoreUpload {
    Store *store;
    Sha256 *sha;
    char *name; /* in uploads/; NULL: it is finished */
    char *expected;
    gint64 size, size_max;
    int fd;
};

static void reach(Store *store, const char *where) {
    if (store->fault)
        store->fault(store->fault_user, where);
}

static int open_directory(int parent, const char *name, GError **error) {
    int fd = -1;

    if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST) {
        set_errno_error(error, errno, "Cannot make the directory %s of the store", name);
        return -1;
    }
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        set_errno_error(error, errno, "Cannot open the directory %s of the store", name);
    return fd;
}

/* What a killed process left. */
static gboolean remove_leftovers(Store *store, GError **error) {
    g_autoptr(GPtrArray) names = list_directory_at(store->uploads, ".", error);

    if (!names) {
        g_prefix_error(error, "Cannot list the uploads of the store: ");
        return FALSE;
    }
    for (guint i = 0; i < names->len; i++)
        if (unlinkat(store->uploads, names->pdata[i], 0) < 0)
            return set_errno_error(
                    error, errno, "Cannot remove the unfinished upload %s", (const char *) names->pdata[i]);
    return TRUE;
}

Store *store_open(const char *directory, GError **error) {
    g_autoptr(Store) store = g_new0(Store, 1);
    AUTO_FD top = -1;

    store->objects = store->uploads = -1;
    if (g_mkdir_with_parents(directory, 0755) < 0) {
        set_errno_error(error, errno, "Cannot make the store %s", directory);
        return NULL;
    }
    top = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top < 0) {
        set_errno_error(error, errno, "Cannot open the store %s", directory);
        return NULL;
    }
    store->objects = open_directory(top, "objects", error);
    if (store->objects < 0)
        return NULL;
    store->uploads = open_directory(top, "uploads", error);
    if (store->uploads < 0 || !remove_leftovers(store, error))
        return NULL;
    return g_steal_pointer(&store);
}

Store *store_open_reader(const char *directory, GError **error) {
    g_autoptr(Store) store = g_new0(Store, 1);
    g_autofree char *objects = g_build_filename(directory, "objects", NULL);

    store->uploads = -1;
    store->objects = open(objects, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (store->objects >= 0)
        return g_steal_pointer(&store);
    set_errno_error(error, errno, "Cannot open %s", objects);
    return NULL;
}

gboolean store_hold(Store *store, GError **error) {
    int result = 0;

    do
        result = flock(store->objects, LOCK_SH);
    while (result < 0 && errno == EINTR);
    return result == 0 || set_errno_error(error, errno, "Cannot lock the store");
}

gboolean store_try_remove(Store *store) {
    return flock(store->objects, LOCK_EX | LOCK_NB) == 0;
}

void store_removed(Store *store) {
    (void) flock(store->objects, LOCK_UN);
}

void store_free(Store *store) {
    if (!store)
        return;
    cleanup_fd(&store->objects);
    cleanup_fd(&store->uploads);
    g_free(store);
}

void store_set_fault(Store *store, StoreFault fault, gpointer user) {
    store->fault = fault;
    store->fault_user = user;
}

/* "ab/cdef…"; NULL when DIGEST is none. */
static char *object_path(const char *digest, GError **error) {
    if (digest && hex_is_lower(digest, SHA256_HEX_SIZE))
        return g_strdup_printf("%.2s/%s", digest, digest + 2);
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "\"%s\" is no digest", digest ?: "");
    return NULL;
}

gboolean store_has(Store *store, const char *digest) {
    g_autofree char *path = object_path(digest, NULL);

    return path && faccessat(store->objects, path, F_OK, 0) == 0;
}

int store_get(Store *store, const char *digest, gint64 *ret_size, GError **error) {
    g_autofree char *path = object_path(digest, error);
    AUTO_FD fd = path ? openat(store->objects, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
    struct stat about;

    if (!path)
        return -1;
    if (fd < 0 || fstat(fd, &about) < 0) {
        set_errno_error(error, errno, "Cannot open the object %s", digest);
        return -1;
    }
    if (ret_size)
        *ret_size = about.st_size;
    return steal_fd(&fd);
}

static gboolean is_same_file(int a_dir, const char *a, int b_dir, const char *b) {
    struct stat first, second;

    return fstatat(a_dir, a, &first, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(b_dir, b, &second, AT_SYMLINK_NOFOLLOW) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

gboolean store_link(Store *store, const char *digest, int dir_fd, const char *name, GError **error) {
    g_autofree char *path = object_path(digest, error);

    if (!path)
        return FALSE;
    reach(store, "store.link");
    if (linkat(store->objects, path, dir_fd, name, 0) == 0 ||
            (errno == EEXIST && is_same_file(store->objects, path, dir_fd, name)))
        return TRUE;
    return set_errno_error(error, errno, "Cannot link the object %s as %s", digest, name);
}

gboolean store_remove(Store *store, const char *digest, GError **error) {
    g_autofree char *path = object_path(digest, error);

    if (!path)
        return FALSE;
    reach(store, "store.remove");
    if (unlinkat(store->objects, path, 0) == 0 || errno == ENOENT)
        return TRUE;
    return set_errno_error(error, errno, "Cannot remove the object %s", digest);
}

StoreUpload *store_upload_new(Store *store, const char *expected, gint64 size_max, GError **error) {
    g_autoptr(StoreUpload) upload = g_new0(StoreUpload, 1);

    upload->store = store;
    upload->fd = -1;
    upload->size_max = size_max;
    if (expected && !hex_is_lower(expected, SHA256_HEX_SIZE)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "\"%s\" is no digest", expected);
        return NULL;
    }
    upload->expected = g_strdup(expected);
    upload->sha = sha256_new();
    upload->name = g_strdup_printf("%d", g_atomic_int_add(&store->next, 1));
    reach(store, "store.create");
    upload->fd = openat(store->uploads, upload->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (upload->fd < 0) {
        set_errno_error(error, errno, "Cannot begin an object");
        g_clear_pointer(&upload->name, g_free);
        return NULL;
    }
    return g_steal_pointer(&upload);
}

/* Disks are mostly zeros, which take no room as holes. */
static gboolean write_or_skip(StoreUpload *upload, const guint8 *data, gsize size) {
    gboolean zeros = size >= HOLE_MIN && data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;

    return zeros ? lseek(upload->fd, (off_t) size, SEEK_CUR) >= 0 : write_all(upload->fd, data, size);
}

gboolean store_upload_write(StoreUpload *upload, const void *data, gsize size, GError **error) {
    if (size > (guint64) (upload->size_max - upload->size)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_TOO_LARGE, "An object may have %" G_GINT64_FORMAT " bytes at most",
                upload->size_max);
        return FALSE;
    }
    if (!write_or_skip(upload, data, size))
        return set_errno_error(error, errno, "Cannot write an object");
    sha256_update(upload->sha, data, size);
    upload->size += (gint64) size;
    return TRUE;
}

/* The directory that the object lies in, made and synced. */
static gboolean sync_directory(Store *store, const char *digest, GError **error) {
    g_autofree char *name = g_strndup(digest, 2);
    AUTO_FD fd = -1;
    gboolean is_new = faccessat(store->objects, name, F_OK, 0) < 0;

    fd = open_directory(store->objects, name, error);
    if (fd < 0)
        return FALSE;
    if (fsync(fd) < 0 || (is_new && fsync(store->objects) < 0))
        return set_errno_error(error, errno, "Cannot sync the store");
    return TRUE;
}

/* Gives the written file its name. */
static gboolean put_in_place(StoreUpload *upload, const char *digest, GError **error) {
    Store *store = upload->store;
    g_autofree char *path = object_path(digest, error);

    if (!path)
        return FALSE;
    reach(store, "store.sync");
    if (ftruncate(upload->fd, upload->size) < 0 || fchmod(upload->fd, 0444) < 0 || fsync(upload->fd) < 0)
        return set_errno_error(error, errno, "Cannot sync an object");
    if (!sync_directory(store, digest, error))
        return FALSE;
    reach(store, "store.rename");
    if (renameat(store->uploads, upload->name, store->objects, path) < 0)
        return set_errno_error(error, errno, "Cannot put the object %s in place", digest);
    g_clear_pointer(&upload->name, g_free);
    reach(store, "store.sync-directory");
    return sync_directory(store, digest, error);
}

gboolean store_upload_commit(StoreUpload *upload, char **ret_digest, gint64 *ret_size, GError **error) {
    guint8 bytes[SHA256_SIZE];
    g_autofree char *digest = NULL;

    sha256_finish(upload->sha, bytes);
    digest = hex_encode(bytes, sizeof bytes);
    if (upload->expected && strcmp(upload->expected, digest) != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "The bytes have the digest %s, not %s: send them again",
                digest, upload->expected);
        return FALSE;
    }
    /* What hard links point to stays the same file. */
    if (!store_has(upload->store, digest) && !put_in_place(upload, digest, error))
        return FALSE;
    if (ret_size)
        *ret_size = upload->size;
    if (ret_digest)
        *ret_digest = g_steal_pointer(&digest);
    return TRUE;
}

void store_upload_free(StoreUpload *upload) {
    if (!upload)
        return;
    cleanup_fd(&upload->fd);
    if (upload->name)
        unlinkat(upload->store->uploads, upload->name, 0);
    sha256_free(upload->sha);
    g_free(upload->name);
    g_free(upload->expected);
    g_free(upload);
}

gboolean store_add_bytes(Store *store, GBytes *bytes, char **ret_digest, GError **error) {
    g_autoptr(StoreUpload) upload = store_upload_new(store, NULL, G_MAXINT64, error);
    gsize size = 0;
    gconstpointer data = g_bytes_get_data(bytes, &size);

    return upload && store_upload_write(upload, data, size, error) &&
           store_upload_commit(upload, ret_digest, NULL, error);
}

gboolean store_add_file(Store *store, const char *path, char **ret_digest, gint64 *ret_size, GError **error) {
    AUTO_FD fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    g_autoptr(StoreUpload) upload = fd >= 0 ? store_upload_new(store, NULL, G_MAXINT64, error) : NULL;
    g_autofree guint8 *block = g_malloc(BLOCK);
    gssize n = 0;

    if (fd < 0)
        return set_errno_error(error, errno, "Cannot open %s", path);
    if (!upload)
        return FALSE;
    while ((n = pread_up_to(fd, block, BLOCK, (guint64) upload->size)) > 0)
        if (!store_upload_write(upload, block, (gsize) n, error))
            return FALSE;
    if (n < 0)
        return set_errno_error(error, errno, "Cannot read %s", path);
    return store_upload_commit(upload, ret_digest, ret_size, error);
}

double store_percent_free(Store *store) {
    struct statvfs about;

    if (fstatvfs(store->objects, &about) < 0 || about.f_blocks == 0)
        return 100;
    return 100.0 * (double) about.f_bavail / (double) about.f_blocks;
}
