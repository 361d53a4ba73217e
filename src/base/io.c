/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/io.h"

#include <errno.h>
#include <unistd.h>

#include "base/errors.h"

gboolean pwrite_all(int fd, const void *data, gsize size, guint64 offset, GError **error) {
    const guint8 *next = data;
    while (size > 0) {
        ssize_t n = pwrite(fd, next, size, (off_t) offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return set_errno_error(error, errno,
                    "writing %" G_GSIZE_FORMAT " bytes at offset %" G_GUINT64_FORMAT, size, offset);
        next += n;
        size -= n;
        offset += n;
    }
    return TRUE;
}

gssize pread_up_to(int fd, void *data, gsize size, guint64 offset) {
    gsize done = 0;
    while (done < size) {
        ssize_t n = pread(fd, (guint8 *) data + done, size - done, (off_t) (offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += n;
    }
    return (gssize) done;
}

gboolean pread_all(int fd, void *data, gsize size, guint64 offset, GError **error) {
    gssize n = pread_up_to(fd, data, size, offset);
    if (n < 0)
        return set_errno_error(error, errno,
                "reading %" G_GSIZE_FORMAT " bytes at offset %" G_GUINT64_FORMAT, size, offset);
    if ((gsize) n == size)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO,
            "the file ends %" G_GSIZE_FORMAT " bytes early, at offset %" G_GUINT64_FORMAT, size - n,
            offset + n);
    return FALSE;
}

gboolean write_all(int fd, const void *data, gsize size) {
    const guint8 *next = data;
    while (size > 0) {
        ssize_t n = write(fd, next, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FALSE;
        next += n;
        size -= n;
    }
    return TRUE;
}
