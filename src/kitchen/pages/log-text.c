/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log-text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"

#define BLOCK (64 * 1024)
/* How far back the beginning of a line is looked for. */
#define LINE_MAX_LENGTH (16 * 1024)

void log_piece_clear(LogPiece *piece) {
    g_clear_pointer(&piece->text, g_bytes_unref);
}

/* How many lines end before OFFSET; -1 with errno. */
static gint64 count_lines(int fd, gint64 offset) {
    g_autofree char *block = g_malloc(BLOCK);
    gint64 lines = 0;

    for (gint64 at = 0; at < offset;) {
        gssize n = pread_up_to(fd, block, MIN(BLOCK, offset - at), at);

        if (n <= 0)
            return n < 0 ? -1 : lines;
        for (const char *end = block; (end = memchr(end, '\n', block + n - end)); end++)
            lines++;
        at += n;
    }
    return lines;
}

/* The beginning of the line that the byte at OFFSET is in. */
static gint64 line_start(int fd, gint64 offset) {
    char before[LINE_MAX_LENGTH];
    gint64 from = MAX(offset - (gint64) sizeof(before), 0);
    gssize n = pread_up_to(fd, before, offset - from, from);
    const char *end = n > 0 ? memrchr(before, '\n', n) : NULL;

    return end ? from + (end - before) + 1 : from == 0 ? 0 : offset;
}

gboolean log_piece_read(const char *path, gint64 from, gsize max, LogPiece *ret_piece, GError **error) {
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    g_autofree char *text = g_malloc(max);
    struct stat status;
    gssize n = 0;

    *ret_piece = (LogPiece){.text = g_bytes_new_static("", 0), .line = 1};
    if (fd < 0 && errno == ENOENT)
        return TRUE;
    if (fd < 0 || fstat(fd, &status) < 0)
        return set_errno_error(error, errno, "Cannot read a log");
    ret_piece->total = status.st_size;
    if (from < 0)
        from = MAX(status.st_size - (gint64) max, 0);
    from = line_start(fd, MIN(from, status.st_size));
    n = pread_up_to(fd, text, max, from);
    ret_piece->line = count_lines(fd, from) + 1;
    if (n < 0 || ret_piece->line < 1)
        return set_errno_error(error, errno, "Cannot read a log");
    /* Up to the end of a line, if there is one. */
    if (from + n < status.st_size) {
        const char *end = memrchr(text, '\n', n);
        n = end ? end - text + 1 : n;
    }
    g_bytes_unref(ret_piece->text);
    ret_piece->text = g_bytes_new(text, n);
    ret_piece->from = from;
    ret_piece->end = from + n;
    return TRUE;
}
