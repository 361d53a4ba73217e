/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sandbox/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/pipe.h"

/* Until FROM ends. What can no longer be written is read all the same, so that the program does not wait. */
static gpointer carry(gpointer data) {
    struct Stream *stream = data;
    char buffer[65536];
    ssize_t n;

    while ((n = read(stream->from, buffer, sizeof buffer)) != 0) {
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            break;
        if (n > 0 && stream->error == 0)
            stream->error = pipe_write(stream->to, buffer, n);
        if (stream->error == EPIPE) /* the program has read what it wants */
            break;
    }
    return NULL;
}

/* Input ends for the program when the file does. */
static gpointer carry_input(gpointer data) {
    struct Stream *stream = data;

    carry(stream);
    cleanup_fd(&stream->to);
    return NULL;
}

static gboolean is_file(int fd) {
    struct stat info;
    return fstat(fd, &info) == 0 && (S_ISREG(info.st_mode) || S_ISBLK(info.st_mode));
}

static gboolean begin_stream(Relay *relay, int number, int *fd, GError **error) {
    struct Stream *stream = &relay->streams[number];
    gboolean input = number == STDIN_FILENO;
    int ends[2];

    if (!is_file(*fd))
        return TRUE;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START, "cannot make a pipe: %s", g_strerror(errno));
        return FALSE;
    }
    stream->from = input ? *fd : ends[0];
    stream->to = input ? ends[1] : *fd;
    *fd = relay->program_ends[number] = input ? ends[0] : ends[1];
    stream->thread = g_thread_new("relay", input ? carry_input : carry, stream);
    return TRUE;
}

gboolean relay_begin(Relay *relay, SandboxStdio *stdio, GError **error) {
    return begin_stream(relay, STDIN_FILENO, &stdio->in, error) &&
           begin_stream(relay, STDOUT_FILENO, &stdio->out, error) &&
           begin_stream(relay, STDERR_FILENO, &stdio->err, error);
}

void relay_close_program_ends(Relay *relay) {
    for (gsize i = 0; i < G_N_ELEMENTS(relay->program_ends); i++)
        cleanup_fd(&relay->program_ends[i]);
}

gboolean relay_end(Relay *relay, GError **error) {
    int number = 0;

    relay_close_program_ends(relay);
    for (gsize i = 0; i < G_N_ELEMENTS(relay->streams); i++) {
        struct Stream *stream = &relay->streams[i];
        if (!stream->thread)
            continue;
        g_thread_join(stream->thread);
        if (i != STDIN_FILENO) {
            cleanup_fd(&stream->from);
            number = number ? number : stream->error;
        }
    }
    if (number != 0)
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START, "cannot write to standard output: %s", g_strerror(number));
    return number == 0;
}
