/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/volumes/sparse.h"

#include "base/errors.h"
#include "base/io.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE (1024 * 1024)

static gboolean fail_errno(const char *doing, GError **error) {
    int saved = errno;

    return set_errno_error(error, saved, "%s", doing);
}

/* For file systems between which copy_file_range does not work. */
static gboolean copy_by_hand(
        int source_fd, int target_fd, guint64 from, guint64 to, guint64 offset, GError **error) {
    g_autofree guint8 *buffer = g_malloc(BUFFER_SIZE);

    while (from < to) {
        gsize length = MIN(to - from, BUFFER_SIZE);
        if (!pread_all(source_fd, buffer, length, from, error) ||
                !pwrite_all(target_fd, buffer, length, offset + from, error))
            return FALSE;
        from += length;
    }
    return TRUE;
}

static gboolean copy_range(
        int source_fd, int target_fd, guint64 from, guint64 to, guint64 offset, GError **error) {
    while (from < to) {
        off_t in = from, out = offset + from;
        ssize_t copied = copy_file_range(source_fd, &in, target_fd, &out, to - from, 0);

        if (copied < 0 && errno == EINTR)
            continue;
        if (copied < 0 && (errno == ENOSPC || errno == EIO || errno == EFBIG || errno == EDQUOT))
            return fail_errno("copying", error);
        if (copied <= 0)
            return copy_by_hand(source_fd, target_fd, from, to, offset, error);
        from += copied;
    }
    return TRUE;
}

gboolean sparse_copy(int source_fd, int target_fd, guint64 offset, GError **error) {
    struct stat st;
    off_t at = 0;

    if (fstat(source_fd, &st) < 0)
        return fail_errno("copying", error);
    while (at < st.st_size) {
        off_t data = lseek(source_fd, at, SEEK_DATA), hole;

        if (data < 0 && errno == ENXIO)
            return TRUE;
        if (data < 0) {
            data = at;
            hole = st.st_size;
        } else
            hole = lseek(source_fd, data, SEEK_HOLE);
        if (hole < 0)
            return fail_errno("copying", error);
        if (!copy_range(source_fd, target_fd, data, hole, offset, error))
            return FALSE;
        at = hole;
    }
    return TRUE;
}
