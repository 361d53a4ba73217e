/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/authenticode.h"

/* Authenticode of files; buffers are in authenticode.c. */

static gboolean set_file_error(GError **error, const char *what, int code) {
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code), "Cannot %s a PE image: %s", what,
            g_strerror(code));
    return FALSE;
}

static GBytes *read_image(int fd, GError **error) {
    struct stat st;
    if (fstat(fd, &st) < 0) {
        set_file_error(error, "examine", errno);
        return NULL;
    }
    gsize size = st.st_size, done = 0;
    g_autofree guint8 *data = g_malloc(size + 1);
    while (done < size) {
        ssize_t n = pread(fd, data + done, size - done, done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            set_file_error(error, "read", n < 0 ? errno : EIO);
            return NULL;
        }
        done += n;
    }
    return g_bytes_new_take(g_steal_pointer(&data), size);
}

static gboolean write_image(int fd, GBytes *image, GError **error) {
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(image, &size);
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return set_file_error(error, "write", errno);
        data += n;
        size -= n;
    }
    return TRUE;
}

gboolean authenticode_sign_fd(int input_fd, int output_fd, const KeySource *key,
        const Certificate *certificate, AuthenticodeMode mode, GError **error) {
    g_autoptr(GBytes) image = read_image(input_fd, error);
    g_autoptr(GBytes) result = image ? authenticode_sign(image, key, certificate, mode, error) : NULL;
    return result && write_image(output_fd, result, error);
}
