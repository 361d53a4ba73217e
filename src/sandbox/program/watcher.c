/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    pid_t child;
    int end_signal; /* what the child gets when the parent has died or we are told to end */
    int parent_fd, signal_fd, child_fd;
    Relay relay;
} Watch;

/* TRUE when the signals say that this is the end. */
static bool is_end(Watch *watch) {
    struct signalfd_siginfo signal;
    if (read(watch->signal_fd, &signal, sizeof signal) != sizeof signal)
        return false;
    if (signal.ssi_signo == SIGWINCH)
        relay_resize(&watch->relay);
    /* A key that interrupts is for the program, if it is typed there. */
    else if (signal.ssi_signo != SIGINT || watch->relay.in < 0)
        return true;
    return false;
}

/* Waits for the child; returns its wait status. */
static int wait_for_end(Watch *watch) {
    struct pollfd fds[5] = {
            {.fd = watch->child_fd, .events = POLLIN},
            {.fd = watch->parent_fd, .events = POLLIN}, /* -1 is ignored */
            {.fd = watch->signal_fd, .events = POLLIN},
    };
    while (fds[0].revents == 0) {
        relay_poll_for(&watch->relay, fds + 3);
        if (poll(fds, 5, -1) < 0 && errno != EINTR)
            fail("cannot wait for the sandbox");
        relay_move(&watch->relay, fds + 3);
        if (fds[1].revents || (fds[2].revents && is_end(watch))) {
            kill(watch->child, watch->end_signal);
            break;
        }
    }
    int status;
    while (waitpid(watch->child, &status, __WALL) < 0)
        if (errno != EINTR)
            fail("cannot wait for the sandbox");
    relay_drain(&watch->relay);
    relay_stop(&watch->relay);
    return status;
}

/* Output ends when the program ends, not when its keepers do. MASTER: of the program's terminal, or -1.
 * SOCKET_FD, if it is not -1, ends with this process, which tells init. */
static int watch_child(pid_t child, int end_signal, int parent_fd, int signal_fd, int status_fd,
        int socket_fd, int master) {
    int child_fd = syscall(SYS_pidfd_open, child, 0);
    if (child_fd < 0)
        fail("cannot watch the sandbox");
    bool terminal = master >= 0;
    const int kept[] = {parent_fd, signal_fd, status_fd, child_fd, socket_fd, master,
            terminal && isatty(0) ? 0 : -1, terminal && isatty(1) ? 1 : -1, terminal && isatty(2) ? 2 : -1};
    Watch watch = {child, end_signal, parent_fd, signal_fd, child_fd, {0}};
    keep_descriptors(kept, sizeof kept / sizeof *kept);
    relay_start(&watch.relay, master);
    return wait_for_end(&watch);
}

/* The program without any sandbox around it. It may clean up after SIGTERM. */
void run_on_host(const Instructions *instructions, int parent_fd, int signal_fd) {
    pid_t watcher = getpid();
    pid_t program = fork();
    if (program < 0)
        fail("cannot fork");
    if (program == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
            fail("cannot ask for the signal at the end of the parent");
        if (getppid() != watcher)
            _exit(125);
        run_command(instructions, -1);
    }
    int status = watch_child(program, SIGTERM, parent_fd, signal_fd, instructions->status_fd, -1, -1);
    report_end(status);
    _exit(exit_status(status));
}

/* Whether a sandbox without a user namespace of its own is what was asked for. Root can have one, everybody
 * else cannot. */
static bool does_without_user_namespace(const Instructions *instructions) {
    return may_administer() && instructions->weak;
}

/* Process 1 of the sandbox, whose user namespace, if there is one, has identities still to get. */
static pid_t fork_init(Instructions *instructions, int socket_fd, int other_fd, const Identities *identities,
        bool *ret_user_namespace) {
    bool user_namespace = instructions->privileges != PRIVILEGES_HOST;
    pid_t init = fork_into(CLONE_NEWPID | (user_namespace ? CLONE_NEWUSER : 0));
    if (init < 0 && user_namespace && does_without_user_namespace(instructions)) {
        user_namespace = false;
        init = fork_into(CLONE_NEWPID);
    }
    if (init < 0 && user_namespace)
        fail("cannot enter a user namespace (are they allowed? see sysctl user.max_user_namespaces; root "
             "can do without "
             "one if --weak-sandbox allows that)");
    if (init < 0)
        fail("cannot enter a PID namespace");
    if (init == 0) {
        close(other_fd);
        be_init(instructions, socket_fd, user_namespace ? identities : NULL);
    }
    *ret_user_namespace = user_namespace;
    return init;
}

void run_in_sandbox(Instructions *instructions, int parent_fd, int signal_fd) {
    static Identities identities;
    bool user_namespace;
    int sockets[2];
    plan_identities(&identities);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        fail("cannot make a pair of sockets");
    pid_t init = fork_init(instructions, sockets[1], sockets[0], &identities, &user_namespace);
    close(sockets[1]);
    if (user_namespace) {
        char process[32];
        int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        snprintf(process, sizeof process, "%d", (int) init);
        give_identities(&identities, proc_fd, process);
    }
    tell(sockets[0], "", 1);
    int master = terminal_is_wanted(instructions) ? receive_descriptor(sockets[0]) : -1;
    int status =
            watch_child(init, SIGKILL, parent_fd, signal_fd, instructions->status_fd, sockets[0], master);
    _exit(exit_status(status));
}
