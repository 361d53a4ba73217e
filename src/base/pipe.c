/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/pipe.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static ssize_t write_without_signal(int fd, const char *bytes, gsize length) {
    sigset_t broken_pipe, before;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    ssize_t n = write(fd, bytes, length);
    int number = errno;
    if (n < 0 && number == EPIPE)
        sigtimedwait(&broken_pipe, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = number;
    return n;
}

int pipe_write(int fd, const char *bytes, gsize length) {
    while (length > 0) {
        ssize_t n = write_without_signal(fd, bytes, length);
        if (n < 0 && errno == EAGAIN) { /* whoever reads it made it so */
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
            continue;
        }
        if (n < 0 && errno != EINTR)
            return errno;
        bytes += MAX(n, 0);
        length -= MAX(n, 0);
    }
    return 0;
}
