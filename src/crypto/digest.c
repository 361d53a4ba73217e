/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/openssl-error.h"
#include "ui/cleanup.h"

#define READ_SIZE (1024 * 1024)

void sha256_buffer(const void *data, gsize size, guint8 ret_digest[static SHA256_SIZE]) {
    /* Fails only when memory is gone, in which case GLib aborts as well. */
    if (EVP_Digest(size > 0 ? data : "", size, ret_digest, NULL, EVP_sha256(), NULL) != 1)
        g_error("Cannot compute a SHA-256 digest");
}

struct Sha256Stream {
    EVP_MD_CTX *context;
};

Sha256Stream *sha256_stream_new(void) {
    Sha256Stream *stream = g_new0(Sha256Stream, 1);

    stream->context = EVP_MD_CTX_new();
    if (!stream->context || EVP_DigestInit_ex(stream->context, EVP_sha256(), NULL) != 1)
        g_error("Cannot compute a SHA-256 digest");
    return stream;
}

void sha256_stream_update(Sha256Stream *stream, const void *data, gsize size) {
    if (EVP_DigestUpdate(stream->context, data, size) != 1)
        g_error("Cannot compute a SHA-256 digest");
}

void sha256_stream_finish(Sha256Stream *stream, guint8 ret_digest[static SHA256_SIZE]) {
    if (EVP_DigestFinal_ex(stream->context, ret_digest, NULL) != 1)
        g_error("Cannot compute a SHA-256 digest");
}

void sha256_stream_free(Sha256Stream *stream) {
    if (!stream)
        return;
    EVP_MD_CTX_free(stream->context);
    g_free(stream);
}

static gboolean set_read_error(GError **error, int code) {
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code), "Cannot read: %s", g_strerror(code));
    return FALSE;
}

static gboolean update_range(EVP_MD_CTX *context, int fd, guint64 offset, guint64 size, GError **error) {
    g_autofree guint8 *buffer = g_malloc(READ_SIZE);

    while (size > 0) {
        ssize_t n = pread(fd, buffer, MIN(size, READ_SIZE), offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return set_read_error(error, errno);
        if (n == 0) {
            g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED,
                    "The file ends at byte %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT " bytes early", offset,
                    size);
            return FALSE;
        }
        if (EVP_DigestUpdate(context, buffer, n) != 1)
            return crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot compute SHA-256");
        offset += n;
        size -= n;
    }
    return TRUE;
}

static gboolean update_zeros(EVP_MD_CTX *context, guint64 size, GError **error) {
    static const guint8 zeros[64 * 1024];

    while (size > 0) {
        gsize n = MIN(size, sizeof(zeros));
        if (EVP_DigestUpdate(context, zeros, n) != 1)
            return crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot compute SHA-256");
        size -= n;
    }
    return TRUE;
}

/* Holes of disk images are large; reading them would only fill the page cache with zeros. Moves the file
 * position. */
static gboolean update_sparse(EVP_MD_CTX *context, int fd, guint64 size, GError **error) {
    for (guint64 offset = 0; offset < size;) {
        off_t found = lseek(fd, offset, SEEK_DATA);
        if (found < 0 && errno != ENXIO)
            return update_range(context, fd, offset, size - offset, error);
        guint64 data = found < 0 ? size : MIN((guint64) found, size);
        off_t end = data < size ? lseek(fd, data, SEEK_HOLE) : -1;
        guint64 hole = end < 0 ? size : MIN((guint64) end, size);
        if (!update_zeros(context, data - offset, error) ||
                !update_range(context, fd, data, hole - data, error))
            return FALSE;
        offset = hole;
    }
    return TRUE;
}

static EVP_MD_CTX *start_digest(GError **error) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1)
        return context;
    EVP_MD_CTX_free(context);
    (void) crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot start SHA-256");
    return NULL;
}

static gboolean finish_digest(EVP_MD_CTX *context, guint8 *ret_digest, GError **error) {
    return EVP_DigestFinal_ex(context, ret_digest, NULL) == 1 ||
           crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot compute SHA-256");
}

gboolean sha256_fd_range(
        int fd, guint64 offset, guint64 size, guint8 ret_digest[static SHA256_SIZE], GError **error) {
    g_autoptr(EVP_MD_CTX) context = start_digest(error);
    return context && update_range(context, fd, offset, size, error) &&
           finish_digest(context, ret_digest, error);
}

gboolean sha256_fd(int fd, guint8 ret_digest[static SHA256_SIZE], GError **error) {
    struct stat st;
    if (fstat(fd, &st) < 0)
        return set_read_error(error, errno);
    return sha256_fd_range(fd, 0, st.st_size, ret_digest, error);
}

gboolean sha256_file(const char *path, guint8 ret_digest[static SHA256_SIZE], GError **error) {
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "Cannot open %s: %s", path,
                g_strerror(errno));
        return FALSE;
    }
    struct stat st;
    if (fstat(fd, &st) < 0)
        return set_read_error(error, errno);
    g_autoptr(EVP_MD_CTX) context = start_digest(error);
    if (!context || !update_sparse(context, fd, st.st_size, error) ||
            !finish_digest(context, ret_digest, error)) {
        g_prefix_error(error, "Cannot hash %s: ", path);
        return FALSE;
    }
    return TRUE;
}

char *hex_encode(const void *data, gsize size) {
    static const char digits[] = "0123456789abcdef";
    const guint8 *bytes = data;
    char *text = g_malloc(size * 2 + 1);
    for (gsize i = 0; i < size; i++) {
        text[i * 2] = digits[bytes[i] >> 4];
        text[i * 2 + 1] = digits[bytes[i] & 15];
    }
    text[size * 2] = '\0';
    return text;
}

GBytes *hex_decode(const char *text, gssize length) {
    gsize n = length < 0 ? strlen(text) : (gsize) length;
    if (n % 2 != 0)
        return NULL;
    g_autofree guint8 *bytes = g_malloc(n / 2 + 1);
    for (gsize i = 0; i < n / 2; i++) {
        int high = g_ascii_xdigit_value(text[i * 2]);
        int low = g_ascii_xdigit_value(text[i * 2 + 1]);
        if (high < 0 || low < 0)
            return NULL;
        bytes[i] = (guint8) (high << 4 | low);
    }
    return g_bytes_new_take(g_steal_pointer(&bytes), n / 2);
}
