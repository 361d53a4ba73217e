/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/standard-output.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/errors.h"

static int first_failure;

/* stdio forgets why a write in the middle failed. */
static ssize_t write_all(void *cookie, const char *data, size_t size) {
    size_t done = 0;

    while (done < size) {
        ssize_t n = write(STDOUT_FILENO, data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            if (!first_failure)
                first_failure = errno;
            return done;
        }
        done += n;
    }
    return done;
}

static void open_if_closed(int fd, int flags) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
        return;
    /* Lower numbers are open, so this gets the number that is free. */
    if (open("/dev/null", flags) != fd)
        abort();
}

void standard_output_watch(void) {
    open_if_closed(STDIN_FILENO, O_RDONLY);
    open_if_closed(STDOUT_FILENO, O_RDONLY);
    open_if_closed(STDERR_FILENO, O_WRONLY);

    gboolean terminal = isatty(STDOUT_FILENO);
    FILE *watched = fopencookie(NULL, "w", (cookie_io_functions_t) {.write = write_all});
    if (!watched)
        abort();
    setvbuf(watched, NULL, terminal ? _IOLBF : _IOFBF, BUFSIZ);
    stdout = watched;
}

gboolean standard_output_finish(GError **error) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return TRUE;
    int code = first_failure ? first_failure : EIO;
    return set_errno_error(error, code, "Cannot write to standard output");
}

gboolean standard_output_is_gone(const GError *error) {
    return first_failure == EPIPE && g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_PIPE);
}
