/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* The process that becomes the program. It says who it is in /proc (PROC_FD: the one outside, because
 * nothing inside is ours to rely on), and waits until it has its identities and its parent has nothing left
 * that is worth looking at. */
static _Noreturn void prepare_program(
        const Instructions *instructions, int socket_fd, int proc_fd, bool user_namespace, int terminal_fd) {
    char self[32];
    ssize_t length = readlinkat(proc_fd, "self", self, sizeof self);
    if (length < 0)
        fail("cannot find this process in /proc");
    tell(socket_fd, self, length);
    char go;
    hear(socket_fd, &go, 1);
    /* Mounts that come from a user namespace above this one cannot be undone. */
    if (user_namespace && unshare(CLONE_NEWNS) < 0)
        fail("cannot lock the mounts");
    run_command(instructions, terminal_fd);
}

static pid_t start_program(const Instructions *instructions, const Identities *identities, int proc_fd,
        int terminal_fd, int *ret_socket) {
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        fail("cannot make a pair of sockets");
    pid_t program = fork_into(identities ? CLONE_NEWUSER : 0);
    if (program < 0)
        fail("cannot start the program");
    if (program == 0) {
        close(sockets[0]);
        prepare_program(instructions, sockets[1], proc_fd, identities != NULL, terminal_fd);
    }
    close(sockets[1]);
    char process[33];
    process[hear(sockets[0], process, sizeof process - 1)] = '\0';
    if (identities)
        give_identities(identities, proc_fd, process);
    *ret_socket = sockets[0];
    return program;
}

void be_init(Instructions *instructions, int socket_fd, const Identities *identities) {
    char go;
    hear(socket_fd, &go, 1);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        fail("cannot ask for the signal at the end of the parent");
    /* The watcher may have died just before. */
    if (recv(socket_fd, &go, 1, MSG_DONTWAIT | MSG_PEEK) == 0)
        _exit(125);

    if (!identities || identities->all)
        (void) setgroups(0, NULL);
    enter_namespaces(instructions->network);
    int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc_fd < 0)
        fail("cannot open /proc");
    enter_root(instructions);
    int terminal_fd = -1;
    if (terminal_is_wanted(instructions)) {
        int master = terminal_open(&terminal_fd);
        send_descriptor(socket_fd, master);
        close(master);
    }

    int program_fd;
    pid_t program = start_program(instructions, identities, proc_fd, terminal_fd, &program_fd);
    const int kept[] = {instructions->status_fd, program_fd};
    keep_descriptors(kept, 2);
    forget_instructions(instructions);
    /* Whoever is inside is not asked about what is still in memory, be it in the same user namespace. */
    if (prctl(PR_SET_DUMPABLE, 0) < 0)
        fail("cannot hide process 1");
    tell(program_fd, "", 1);
    close(program_fd);

    int status = reap(program);
    report_end(status);
    _exit(exit_status(status));
}
