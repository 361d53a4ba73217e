/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA-256 of buffers, streams and files. */

#include <glib.h>

#define SHA256_SIZE 32
#define SHA256_HEX_SIZE 64

/* Hashes SIZE bytes at DATA (may be NULL when SIZE is 0). */
void sha256_buffer(const void *data, gsize size, guint8 ret_digest[static SHA256_SIZE]);

/* A context, for bytes that come one after another and for hot loops: one per thread, no allocation per
 * digest. */
typedef struct Sha256 Sha256;

/* A context that is ready for the first byte. Never NULL: a process without SHA-256 cannot work and aborts. */
Sha256 *sha256_new(void);
void sha256_free(Sha256 *sha);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sha256, sha256_free)

/* Adds SIZE bytes. */
void sha256_update(Sha256 *sha, const void *data, gsize size);

/* The digest of what was added; the context is ready for the first byte of another. */
void sha256_finish(Sha256 *sha, guint8 ret_digest[static SHA256_SIZE]);

/* RET_DIGEST = SHA-256(PREFIX || DATA). PREFIX may be NULL if PREFIX_SIZE is 0. Nothing may have been added
 * before. */
void sha256_digest(Sha256 *sha, const guint8 *prefix, gsize prefix_size, const void *data, gsize size,
        guint8 ret_digest[static SHA256_SIZE]);

/* Hashes SIZE bytes of FD from byte OFFSET on; the file position does not move. Fails when the file ends
 * earlier. */
gboolean sha256_fd_range(
        int fd, guint64 offset, guint64 size, guint8 ret_digest[static SHA256_SIZE], GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Hashes everything that FD holds, from its beginning; the file position does not move. */
gboolean sha256_fd(int fd, guint8 ret_digest[static SHA256_SIZE], GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Hashes the file PATH. Holes are not read. */
gboolean sha256_file(const char *path, guint8 ret_digest[static SHA256_SIZE], GError **error) G_GNUC_WARN_UNUSED_RESULT;
