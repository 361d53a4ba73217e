/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"

/* In the child, where only what is safe in signal handlers may be called. */
static void become(const ProcessPlan *plan, const char *program, const int streams[4]) {
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    setsid();
    if (plan->dies_with_us)
        prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (plan->directory && chdir(plan->directory) < 0)
        return;
    for (int i = 0; i < 4; i++)
        if (streams[i] >= 0 && dup2(streams[i], i) < 0)
            return;
    /* Whatever else is open stays here. */
    close_range(streams[3] >= 0 ? 4 : 3, ~0u, CLOSE_RANGE_CLOEXEC);
    execve(program, (char *const *) plan->argv, (char *const *) (plan->environment ?: (gpointer) environ));
}

/* As fork(), into namespaces where the plan says so. */
static pid_t fork_for(const ProcessPlan *plan) {
    return plan->apart ? (pid_t) syscall(SYS_clone, SIGCHLD | CLONE_NEWPID | CLONE_NEWNS, NULL, NULL, NULL, NULL)
                       : fork();
}

pid_t process_start(const ProcessPlan *plan, GError **error) {
    g_autofree char *program = g_find_program_in_path(plan->argv[0]);
    const int wanted[4] = {plan->in, plan->out, plan->err, plan->events};
    AUTO_FD null = open("/dev/null", O_RDWR | O_CLOEXEC);
    AUTO_FD report_read = -1;
    AUTO_FD report_write = -1;
    int streams[4], pipes[2], number = 0;
    pid_t pid = -1;

    if (!program) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "There is no program %s", plan->argv[0]);
        return -1;
    }
    if (null < 0 || pipe2(pipes, O_CLOEXEC) < 0) {
        set_errno_error(error, errno, "Cannot start %s", program);
        return -1;
    }
    report_read = pipes[0];
    /* Above the numbers that are taken in the child, so that no copy runs into another. */
    report_write = fcntl(pipes[1], F_DUPFD_CLOEXEC, 4);
    close(pipes[1]);
    for (int i = 0; i < 4; i++)
        streams[i] = wanted[i] >= 0 ? fcntl(wanted[i], F_DUPFD_CLOEXEC, 4)
                     : i < 3        ? fcntl(null, F_DUPFD_CLOEXEC, 4)
                                    : -1;
    pid = fork_for(plan);
    if (pid == 0) {
        become(plan, program, streams);
        number = errno;
        if (write(report_write, &number, sizeof number) < 0)
            _exit(126);
        _exit(127);
    }
    number = errno;
    for (int i = 0; i < 4; i++)
        if (streams[i] >= 0)
            close(streams[i]);
    cleanup_fd(&report_write);
    if (pid < 0 || read(report_read, &number, sizeof number) == sizeof number) {
        set_errno_error(error, number, "Cannot start %s", program);
        if (pid > 0)
            waitpid(pid, NULL, 0);
        return -1;
    }
    return pid;
}

gboolean process_reap(pid_t pid, gboolean wait, int *ret_status) {
    int status = 0;
    pid_t found = 0;

    do
        found = waitpid(pid, &status, wait ? 0 : WNOHANG);
    while (found < 0 && errno == EINTR);
    if (found < 0)
        return kill(pid, 0) < 0 && errno == ESRCH;
    if (found == pid && ret_status)
        *ret_status = status;
    return found == pid;
}

void process_kill(pid_t pid, int number) {
    if (pid > 1)
        kill(-pid, number);
}

/* When PID started, in ticks since the machine did; 0: it is not there. ENDED: only its remains are. */
static guint64 start_time(pid_t pid, gboolean *ret_ended) {
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int) pid);
    g_autofree char *text = NULL;
    const char *rest = NULL;
    guint64 start = 0;
    char state = 0;

    /* The name of the program may hold anything, spaces and parentheses too. */
    if (!g_file_get_contents(path, &text, NULL, NULL) || !(rest = strrchr(text, ')')) ||
            sscanf(rest,
                    ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
                    "%" G_GUINT64_FORMAT,
                    &state, &start) != 2)
        return 0;
    *ret_ended = state == 'Z';
    return start;
}

char *process_name(pid_t pid) {
    gboolean ended = FALSE;
    guint64 start = start_time(pid, &ended);

    return start > 0 ? g_strdup_printf("%d:%" G_GUINT64_FORMAT, (int) pid, start) : NULL;
}

pid_t process_find(const char *name) {
    gboolean ended = FALSE;
    guint64 start = 0;
    int pid = 0;

    if (!name || sscanf(name, "%d:%" G_GUINT64_FORMAT, &pid, &start) != 2 || pid <= 1 || start == 0)
        return 0;
    return start_time(pid, &ended) == start && !ended ? pid : 0;
}
