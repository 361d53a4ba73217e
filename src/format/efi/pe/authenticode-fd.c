/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/io.h"
#include "format/efi/pe/authenticode.h"

/* Authenticode of files; buffers are in authenticode.c. */

static gboolean set_file_error(GError **error, const char *what, int code) {
    return set_errno_error(error, code, "Cannot %s a PE image", what);
}

static GBytes *read_image(int fd, GError **error) {
    struct stat st;
    if (fstat(fd, &st) < 0) {
        set_file_error(error, "examine", errno);
        return NULL;
    }
    gsize size = st.st_size;
    g_autofree guint8 *data = g_malloc(size + 1);
    gssize n = pread_up_to(fd, data, size, 0);
    if (n != (gssize) size) {
        set_file_error(error, "read", n < 0 ? errno : EIO);
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&data), size);
}

static gboolean write_image(int fd, GBytes *image, GError **error) {
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(image, &size);
    return write_all(fd, data, size) || set_file_error(error, "write", errno);
}

gboolean authenticode_sign_fd(int input_fd, int output_fd, const KeySource *key,
        const Certificate *certificate, AuthenticodeMode mode, GError **error) {
    g_autoptr(GBytes) image = read_image(input_fd, error);
    g_autoptr(GBytes) result = image ? authenticode_sign(image, key, certificate, mode, error) : NULL;
    return result && write_image(output_fd, result, error);
}
