/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files by the SHA-256 digest of their bytes: DIRECTORY/objects/ab/cdef…, read-only. Each is written beside,
 * synced and renamed, so that what has a name is whole; adding the same bytes again is harmless. Digests are
 * 64 lower-case hexadecimal digits. Safe for several threads. */

#include <glib.h>

#define STORE_ERROR store_error_quark()
GQuark store_error_quark(void);

typedef enum {
    STORE_ERROR_TOO_LARGE, /* more bytes than are taken */
} StoreError;

typedef struct Store Store;

/* Opens the store in DIRECTORY, which is made if need be. Unfinished uploads of before are removed, so only
 * one process may have it. */
Store *store_open(const char *directory, GError **error);
void store_free(Store *store);

/* Opens what is in DIRECTORY without changing anything, beside the process that has it: for store_get(), store_has() and
 * store_hold(). */
Store *store_open_reader(const char *directory, GError **error);

/* Keeps whoever asks store_try_remove() from removing objects, as long as this store is open. Waits for one that does. */
gboolean store_hold(Store *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether objects may be removed, until store_removed() is called: nobody holds the store. */
gboolean store_try_remove(Store *store) G_GNUC_WARN_UNUSED_RESULT;
void store_removed(Store *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_free)

/* Whether the object is there. */
gboolean store_has(Store *store, const char *digest);

/* A descriptor of the object, open for reading, owned by the caller; -1 with ERROR set. RET_SIZE (may be
 * NULL): its bytes. */
int store_get(Store *store, const char *digest, gint64 *ret_size, GError **error);

/* A hard link to the object, called NAME in the directory DIR_FD of the same file system. One that is there
 * already has to be the same file. */
gboolean store_link(
        Store *store, const char *digest, int dir_fd, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One that is not there is no error. Hard links keep the bytes. */
gboolean store_remove(Store *store, const char *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes that come one after another. Used by one thread at a time. */
typedef struct StoreUpload StoreUpload;

/* EXPECTED (may be NULL) is the digest that the bytes have to have; SIZE_MAX the bytes that are taken at
 * most. */
StoreUpload *store_upload_new(Store *store, const char *expected, gint64 size_max, GError **error);
gboolean store_upload_write(
        StoreUpload *upload, const void *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Ends it: the object is there and on the disk. RET_DIGEST and RET_SIZE may be NULL. Syncs, so it may take
 * seconds. */
gboolean store_upload_commit(
        StoreUpload *upload, char **ret_digest, gint64 *ret_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Without commit the bytes are gone. */
void store_upload_free(StoreUpload *upload);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreUpload, store_upload_free)

/* The whole of BYTES, or of the file PATH. RET_DIGEST is owned by the caller. */
gboolean store_add_bytes(Store *store, GBytes *bytes, char **ret_digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean store_add_file(
        Store *store, const char *path, char **ret_digest, gint64 *ret_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How much of the store's file system is free for us, in percent; 100 when it cannot be told. */
double store_percent_free(Store *store);

/* Called before each file operation that a crash could come between: for tests that crash there. */
typedef void (*StoreFault)(gpointer user, const char *where);
void store_set_fault(Store *store, StoreFault fault, gpointer user);
