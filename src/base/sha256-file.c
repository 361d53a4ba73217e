/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"

#define READ_SIZE (1024 * 1024)

static gboolean update_range(Sha256 *sha, int fd, guint64 offset, guint64 size, GError **error) {
    g_autofree guint8 *buffer = g_malloc(READ_SIZE);

    while (size > 0) {
        ssize_t n = pread(fd, buffer, MIN(size, READ_SIZE), offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return set_errno_error(error, errno, "Cannot read");
        if (n == 0) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO,
                    "The file ends at byte %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT " bytes early", offset,
                    size);
            return FALSE;
        }
        sha256_update(sha, buffer, n);
        offset += n;
        size -= n;
    }
    return TRUE;
}

static void update_zeros(Sha256 *sha, guint64 size) {
    static const guint8 zeros[64 * 1024];

    while (size > 0) {
        gsize n = MIN(size, sizeof(zeros));
        sha256_update(sha, zeros, n);
        size -= n;
    }
}

/* Holes of disk images are large; reading them would only fill the page cache with zeros. Moves the file
 * position. */
static gboolean update_sparse(Sha256 *sha, int fd, guint64 size, GError **error) {
    for (guint64 offset = 0; offset < size;) {
        off_t found = lseek(fd, offset, SEEK_DATA);
        if (found < 0 && errno != ENXIO)
            return update_range(sha, fd, offset, size - offset, error);
        guint64 data = found < 0 ? size : MIN((guint64) found, size);
        off_t end = data < size ? lseek(fd, data, SEEK_HOLE) : -1;
        guint64 hole = end < 0 ? size : MIN((guint64) end, size);
        update_zeros(sha, data - offset);
        if (!update_range(sha, fd, data, hole - data, error))
            return FALSE;
        offset = hole;
    }
    return TRUE;
}

gboolean sha256_fd_range(
        int fd, guint64 offset, guint64 size, guint8 ret_digest[static SHA256_SIZE], GError **error) {
    g_autoptr(Sha256) sha = sha256_new();

    if (!update_range(sha, fd, offset, size, error))
        return FALSE;
    sha256_finish(sha, ret_digest);
    return TRUE;
}

gboolean sha256_fd(int fd, guint8 ret_digest[static SHA256_SIZE], GError **error) {
    struct stat st;
    if (fstat(fd, &st) < 0)
        return set_errno_error(error, errno, "Cannot read");
    return sha256_fd_range(fd, 0, st.st_size, ret_digest, error);
}

gboolean sha256_file(const char *path, guint8 ret_digest[static SHA256_SIZE], GError **error) {
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return set_errno_error(error, errno, "Cannot open %s", path);
    struct stat st;
    if (fstat(fd, &st) < 0)
        return set_errno_error(error, errno, "Cannot read");
    g_autoptr(Sha256) sha = sha256_new();
    if (!update_sparse(sha, fd, st.st_size, error)) {
        g_prefix_error(error, "Cannot hash %s: ", path);
        return FALSE;
    }
    sha256_finish(sha, ret_digest);
    return TRUE;
}
