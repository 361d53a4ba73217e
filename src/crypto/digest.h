/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA-256 of buffers and files, and hexadecimal text. */

#include <glib.h>

#define SHA256_SIZE 32
#define SHA256_HEX_SIZE 64

/* Failures of the cryptographic rooms. */
typedef enum {
    CRYPTO_ERROR_FAILED,     /* the library refused; the message carries its reason */
    CRYPTO_ERROR_MISSING,    /* a key or certificate does not exist */
    CRYPTO_ERROR_PERMISSION, /* a private key is readable by others */
    CRYPTO_ERROR_MALFORMED,  /* foreign bytes that are not what they should be */
    CRYPTO_ERROR_MISMATCH,   /* key and certificate, or signature and content, do not belong together */
    CRYPTO_ERROR_EXISTS,     /* a file that must not be overwritten */
    CRYPTO_ERROR_UNSUPPORTED,
} CryptoError;

#define CRYPTO_ERROR crypto_error_quark()
GQuark crypto_error_quark(void);

/* Hashes SIZE bytes at DATA (may be NULL when SIZE is 0). */
void sha256_buffer(const void *data, gsize size, guint8 ret_digest[static SHA256_SIZE]);

/* A digest of bytes that come one after another. */
typedef struct Sha256Stream Sha256Stream;
Sha256Stream *sha256_stream_new(void);
void sha256_stream_update(Sha256Stream *stream, const void *data, gsize size);
/* Ends the stream: nothing can be added afterwards. */
void sha256_stream_finish(Sha256Stream *stream, guint8 ret_digest[static SHA256_SIZE]);
void sha256_stream_free(Sha256Stream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sha256Stream, sha256_stream_free)

/* Hashes SIZE bytes of FD from byte OFFSET on; the file position does not move. Fails when the file ends
 * earlier. */
gboolean sha256_fd_range(
        int fd, guint64 offset, guint64 size, guint8 ret_digest[static SHA256_SIZE], GError **error);

/* Hashes everything that FD holds, from its beginning; the file position does not move. */
gboolean sha256_fd(int fd, guint8 ret_digest[static SHA256_SIZE], GError **error);

/* Hashes the file PATH. */
gboolean sha256_file(const char *path, guint8 ret_digest[static SHA256_SIZE], GError **error);

/* Lower-case hexadecimal text of SIZE bytes; owned by the caller. */
char *hex_encode(const void *data, gsize size);

/* The bytes that TEXT (LENGTH characters, -1: up to its NUL) spells in hexadecimal of either case. NULL when
 * it is not hexadecimal or has an odd length. */
GBytes *hex_decode(const char *text, gssize length);
