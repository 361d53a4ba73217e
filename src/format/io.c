/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io.h"

#include <errno.h>
#include <unistd.h>

gboolean pwrite_all(int fd, const void *data, gsize size, guint64 offset, GError **error) {
    const guint8 *next = data;
    while (size > 0) {
        ssize_t n = pwrite(fd, next, size, (off_t) offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int e = errno;
            g_set_error(error, G_IO_ERROR, g_io_error_from_errno(e),
                    "writing %" G_GSIZE_FORMAT " bytes at offset %" G_GUINT64_FORMAT ": %s", size, offset,
                    g_strerror(e));
            return FALSE;
        }
        next += n;
        size -= n;
        offset += n;
    }
    return TRUE;
}

gboolean pread_all(int fd, void *data, gsize size, guint64 offset, GError **error) {
    guint8 *next = data;
    while (size > 0) {
        ssize_t n = pread(fd, next, size, (off_t) offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int e = errno;
            g_set_error(error, G_IO_ERROR, g_io_error_from_errno(e),
                    "reading %" G_GSIZE_FORMAT " bytes at offset %" G_GUINT64_FORMAT ": %s", size, offset,
                    g_strerror(e));
            return FALSE;
        }
        if (n == 0) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                    "the file ends %" G_GSIZE_FORMAT " bytes early, at offset %" G_GUINT64_FORMAT, size,
                    offset);
            return FALSE;
        }
        next += n;
        size -= n;
        offset += n;
    }
    return TRUE;
}
