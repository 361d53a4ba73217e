/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "program.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

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

/* The host's /dev/null among the standard descriptors is its node, whose mode a program could change: it
 * gets the one that it has itself, which is read-only in this sense. */
static void replace_null(void) {
    struct stat old, new;
    const dev_t null = makedev(1, 3);
    for (int fd = 0; fd < 3; fd++) {
        if (fstat(fd, &old) < 0 || !S_ISCHR(old.st_mode) || old.st_rdev != null)
            continue;
        int own = open("/dev/null", (fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND)) | O_CLOEXEC);
        if (own < 0)
            continue; /* a root directory without /dev */
        if (fstat(own, &new) < 0 || !S_ISCHR(new.st_mode) || new.st_rdev != null || dup2(own, fd) < 0)
            fail("cannot hand on /dev/null");
        close(own);
    }
}

/* Nothing but standard descriptors and what is handed on survives the execution. */
static void hand_on_descriptors(const Instructions *instructions) {
    if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        fail("cannot close file descriptors");
    for (size_t i = 0; i < instructions->pass_fd_count; i++)
        if (fcntl(instructions->pass_fds[i], F_SETFD, 0) < 0)
            fail("cannot pass file descriptor %d", instructions->pass_fds[i]);
    hand_on_listening(instructions);
}

static void reset_signals(void) {
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The order counts: a filter wants CAP_SYS_ADMIN or the promise of no new privileges. */
static void restrict_privileges(const Instructions *instructions) {
    join_own_keyring();
    if (instructions->privileges == PRIVILEGES_TOOL)
        forbid_new_privileges();
    if (instructions->privileges != PRIVILEGES_HOST)
        scope_sockets();
    install_filter(instructions);
    if (instructions->privileges < PRIVILEGES_SCRIPT)
        drop_capabilities();
}

static const char *search_path(const Instructions *instructions) {
    for (size_t i = 0; i < instructions->environment_count; i++)
        if (strncmp(instructions->environment[i], "PATH=", 5) == 0)
            return instructions->environment[i] + 5;
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

void run_command(const Instructions *instructions, int terminal_fd) {
    /* A program on the host that is interactive shares the caller's terminal, and its keys that interrupt.
     */
    if (!(instructions->host && instructions->interactive) && setsid() < 0)
        fail("cannot start a session");
    if (terminal_fd >= 0)
        terminal_take(terminal_fd);
    reset_signals();
    if (chdir(instructions->directory) < 0)
        fail("cannot change to the directory %s", instructions->directory);
    if (!instructions->host)
        replace_null();
    hand_on_descriptors(instructions);
    /* execvpe() looks at the PATH of the caller. */
    if (setenv("PATH", search_path(instructions), 1) < 0)
        fail("cannot set PATH");
    if (!instructions->host)
        restrict_privileges(instructions);
    execvpe(instructions->argv[0], instructions->argv, instructions->environment);
    fail("cannot run %s", instructions->argv[0]);
}
