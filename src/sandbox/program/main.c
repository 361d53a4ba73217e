/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The status descriptor carries, each with a NUL byte at its end, and the first one counts,
 *   "E" message          the sandbox or the program could not be started
 *   "S" number           the program has ended with this wait status */
static int status_fd = -1;

static struct { char *start, *end; } command_line;

static void report(char kind, const char *text) {
    char message[2048];
    snprintf(message, sizeof message, "%c%s", kind, text);
    if (write(status_fd, message, strlen(message) + 1) < 0)
        _exit(125);
}

static void vfail(const char *format, va_list arguments, int error) {
    char text[1024];
    int length = vsnprintf(text, sizeof text, format, arguments);
    if (error && length >= 0 && length < (int) sizeof text)
        snprintf(text + length, sizeof text - length, ": %s", strerror(error));
    if (status_fd >= 0)
        report('E', text);
    else
        fprintf(stderr, "particleos-sandbox: %s\n", text);
    _exit(125);
}

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfail(format, arguments, errno);
    abort();
}

void fail_plain(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfail(format, arguments, 0);
    abort();
}

void report_end(int status) {
    if (status_fd < 0)
        return;
    char text[16];
    snprintf(text, sizeof text, "%d", status);
    report('S', text);
}

int exit_status(int wait_status) {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

void forget_instructions(Instructions *instructions) {
    if (instructions->text)
        munmap(instructions->text, instructions->text_size);
    *instructions = (Instructions){.status_fd = status_fd};
    memset(command_line.start, 0, command_line.end - command_line.start);
}

/* A descriptor that becomes readable when the parent has died; -1 if it may. */
static int watch_parent(pid_t parent) {
    if (parent == 0)
        return -1;
    int fd = syscall(SYS_pidfd_open, parent, 0);
    /* An orphan by now? The process that has the number is then another one. */
    if (getppid() != parent)
        _exit(125);
    if (fd < 0)
        fail("cannot watch the parent process");
    return fd;
}

/* From here on signals are something to be read. */
static int take_signals(const Instructions *instructions) {
    static const int read[] = {SIGTERM, SIGHUP, SIGINT, SIGWINCH};
    bool terminal = terminal_is_wanted(instructions);
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof read / sizeof *read; i++)
        /* Programs on the host share the caller's terminal, and get what is typed there. */
        if (!(read[i] == SIGINT && instructions->host && instructions->interactive) &&
                !(read[i] == SIGWINCH && !terminal))
            sigaddset(&set, read[i]);
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (fd < 0)
        fail("cannot read signals");
    return fd;
}

int main(int argc, char **argv) {
    Instructions instructions;
    command_line.start = argv[0];
    command_line.end = argv[argc - 1] + strlen(argv[argc - 1]);
    instructions_parse(&instructions, argc, argv);
    status_fd = instructions.status_fd;
    if (status_fd >= 0)
        fcntl(status_fd, F_SETFD, FD_CLOEXEC);

    int signal_fd = take_signals(&instructions);
    int parent_fd = watch_parent(instructions.parent);
    /* Only programs on the caller's terminal share its signals. Fails when we lead a group: fine, too. */
    if (!instructions.interactive)
        setsid();
    if (instructions.host)
        run_on_host(&instructions, parent_fd, signal_fd);
    umask(022);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    run_in_sandbox(&instructions, parent_fd, signal_fd);
}
