/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/close_range.h>

/* Three processes:
 *
 *   watcher   outside of the PID namespace; ends when init has ended, and ends init when particleos has died
 *             or says so (SIGTERM)
 *   init      process 1 of the PID namespace: builds the root directory, starts the program, reaps orphans;
 *             when it ends, the kernel kills everything in the namespace
 *   program
 *
 * The status descriptor carries, each with a NUL byte at its end, and the first one counts,
 *   "E" message          the sandbox or the program could not be started
 *   "S" number           the program has ended with this wait status */
static int status_fd = -1;

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

static int open_pidfd(pid_t pid) {
    return syscall(SYS_pidfd_open, pid, 0);
}

static int exit_status(int wait_status) {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* Socket activation (sd_listen_fds(3)): descriptor 3, and the number of the process, which only the process
 * itself knows. LISTEN_FDS is in the environment. */
static void hand_on_listening(const Instructions *instructions) {
    static char listen_pid[32];
    if (instructions->listen_fd < 0)
        return;
    if (instructions->listen_fd != 3 && dup2(instructions->listen_fd, 3) < 0)
        fail("cannot hand on a listening socket");
    if (fcntl(3, F_SETFD, 0) < 0)
        fail("cannot hand on a listening socket");
    snprintf(listen_pid, sizeof listen_pid, "LISTEN_PID=%d", (int) getpid());
    instructions->environment[instructions->environment_count] = listen_pid;
}

static _Noreturn void run_program(const Instructions *instructions) {
    if (!instructions->interactive && setsid() < 0)
        fail("cannot start a session");
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    if (chdir(instructions->directory) < 0)
        fail("cannot change to the directory %s", instructions->directory);
    if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        fail("cannot close file descriptors");
    for (size_t i = 0; i < instructions->pass_fd_count; i++)
        if (fcntl(instructions->pass_fds[i], F_SETFD, 0) < 0)
            fail("cannot pass file descriptor %d", instructions->pass_fds[i]);

    hand_on_listening(instructions);

    /* execvpe() looks at the PATH of the caller. */
    const char *path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    for (size_t i = 0; i < instructions->environment_count; i++)
        if (strncmp(instructions->environment[i], "PATH=", 5) == 0)
            path = instructions->environment[i] + 5;
    if (setenv("PATH", path, 1) < 0)
        fail("cannot set PATH");
    install_filter(instructions->suppress_sync, instructions->suppress_chown);
    execvpe(instructions->argv[0], instructions->argv, instructions->environment);
    fail("cannot run %s", instructions->argv[0]);
}

static void report_end(int status) {
    if (status_fd < 0)
        return;
    char text[16];
    snprintf(text, sizeof text, "%d", status);
    report('S', text);
}

/* Waits for everybody; returns when PROGRAM has ended. */
static int reap(pid_t program) {
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid == program)
            return status;
        if (pid < 0 && errno != EINTR)
            fail("cannot wait for the program");
    }
}

/* Output ends when the program ends, not when its keepers do. */
static void leave_descriptors_to_program(const Instructions *instructions) {
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    for (size_t i = 0; i < instructions->pass_fd_count; i++)
        close(instructions->pass_fds[i]);
    if (instructions->listen_fd >= 0)
        close(instructions->listen_fd);
}

static _Noreturn void be_init(const Instructions *instructions, int watcher_fd) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        fail("cannot ask for the signal at the end of the parent");
    /* The watcher may have died just before. */
    struct pollfd watcher = {.fd = watcher_fd, .events = POLLIN};
    if (poll(&watcher, 1, 0) != 0)
        _exit(125);

    enter_root(instructions);

    pid_t program = fork();
    if (program < 0)
        fail("cannot fork");
    if (program == 0)
        run_program(instructions);
    leave_descriptors_to_program(instructions);
    int status = reap(program);
    report_end(status);
    _exit(exit_status(status));
}

/* Waits for CHILD, which gets SIGNAL_NUMBER when the parent has died or we are told to end. Returns its wait
 * status. */
static int watch(pid_t child, int parent_fd, int signal_fd, int signal_number) {
    int child_fd = open_pidfd(child);
    if (child_fd < 0)
        fail("cannot watch the sandbox");
    struct pollfd fds[] = {
            {.fd = child_fd, .events = POLLIN},
            {.fd = parent_fd, .events = POLLIN}, /* -1 is ignored */
            {.fd = signal_fd, .events = POLLIN},
    };
    while (fds[0].revents == 0) {
        if (poll(fds, 3, -1) < 0 && errno != EINTR)
            fail("cannot wait for the sandbox");
        if (fds[1].revents || fds[2].revents) {
            kill(child, signal_number);
            break;
        }
    }
    int status;
    while (waitpid(child, &status, __WALL) < 0)
        if (errno != EINTR)
            fail("cannot wait for the sandbox");
    return status;
}

/* The program without any sandbox around it. It may clean up after SIGTERM. */
static _Noreturn void run_on_host(const Instructions *instructions, int parent_fd, int signal_fd) {
    pid_t watcher = getpid();
    pid_t program = fork();
    if (program < 0)
        fail("cannot fork");
    if (program == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
            fail("cannot ask for the signal at the end of the parent");
        if (getppid() != watcher)
            _exit(125);
        run_program(instructions);
    }
    leave_descriptors_to_program(instructions);
    int status = watch(program, parent_fd, signal_fd, SIGTERM);
    report_end(status);
    exit(exit_status(status));
}

/* A descriptor that becomes readable when the parent has died; -1 if it may. */
static int watch_parent(pid_t parent) {
    if (parent == 0)
        return -1;
    int fd = open_pidfd(parent);
    /* An orphan by now? The process that has the number is then another one. */
    if (getppid() != parent)
        _exit(125);
    if (fd < 0)
        fail("cannot watch the parent process");
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        fail("cannot watch the parent process");
    return fd;
}

/* From here on signals are something to be read. */
static int take_signals(bool interactive) {
    sigset_t blocked, read;
    sigfillset(&blocked);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    sigemptyset(&read);
    sigaddset(&read, SIGTERM);
    sigaddset(&read, SIGHUP);
    if (!interactive)
        sigaddset(&read, SIGINT);
    int fd = signalfd(-1, &read, SFD_CLOEXEC);
    if (fd < 0)
        fail("cannot read signals");
    return fd;
}

int main(int argc, char **argv) {
    Instructions instructions;
    instructions_parse(&instructions, argc, argv);
    status_fd = instructions.status_fd;
    if (status_fd >= 0)
        fcntl(status_fd, F_SETFD, FD_CLOEXEC);

    int signal_fd = take_signals(instructions.interactive);
    int parent_fd = watch_parent(instructions.parent);
    int self_fd = open_pidfd(getpid());
    if (self_fd < 0)
        fail("cannot watch this process");
    /* Only programs on the caller's terminal share its signals. Fails when we lead a group: fine, too. */
    if (!instructions.interactive)
        setsid();
    if (instructions.host)
        run_on_host(&instructions, parent_fd, signal_fd);
    umask(022);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    enter_namespaces(instructions.network);

    pid_t init = fork();
    if (init < 0)
        fail("cannot fork");
    if (init == 0)
        be_init(&instructions, self_fd);
    leave_descriptors_to_program(&instructions);
    return exit_status(watch(init, parent_fd, signal_fd, SIGKILL));
}
