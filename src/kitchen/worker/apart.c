/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "apart.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long what was told to end may take, in seconds; then everything here is killed. */
#define PATIENCE 8
#define FAILED 125

/* The builder; 0 before it is there. For the handler of signals. */
static volatile pid_t builder;

gboolean apart_is_needed(void) {
    return geteuid() == 0;
}

static void hand_on(int number) {
    if (builder > 0)
        kill(-builder, number);
    alarm(PATIENCE);
}

static int fail(const char *what) {
    g_printerr("particleos-kitchen-worker: cannot %s: %s\n", what, g_strerror(errno));
    return FAILED;
}

/* Nothing of ours is seen through mounts of before, and what is mounted outside still comes. */
static gboolean mount_proc(void) {
    return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0 &&
           mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;
}

/* What reads the memory of others by another way than a name. Programs in user namespaces have their own powers there. */
static gboolean drop_powers(void) {
    static const int dropped[] = {CAP_SYS_PTRACE, CAP_SYS_RAWIO, CAP_SYS_MODULE, CAP_SYS_BOOT};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (syscall(SYS_capget, &header, data) < 0)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(dropped); i++) {
        struct __user_cap_data_struct *word = &data[CAP_TO_INDEX(dropped[i])];
        guint32 mask = ~CAP_TO_MASK(dropped[i]);

        word->effective &= mask;
        word->permitted &= mask;
        word->inheritable &= mask;
        if (prctl(PR_CAPBSET_DROP, dropped[i], 0, 0, 0) < 0 && errno != EINVAL)
            return FALSE;
    }
    return syscall(SYS_capset, &header, data) == 0;
}

/* The status of the builder, when it has ended. */
static int wait_for_builder(void) {
    int status = 0;

    for (;;) {
        pid_t pid = waitpid(-1, &status, 0);

        if (pid == builder)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (pid < 0 && errno != EINTR)
            return fail("wait");
    }
}

int apart_run(char *const *argv) {
    const struct sigaction action = {.sa_handler = hand_on};
    const struct sigaction last = {.sa_handler = _exit};
    pid_t pid = -1;

    if (getpid() != 1) {
        errno = EPERM;
        return fail("run a builder that sees other processes");
    }
    if (!mount_proc())
        return fail("mount /proc for the builder");
    if (!drop_powers())
        return fail("take powers from the builder");
    /* The first process of a namespace ignores what it has no handler for. */
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGALRM, &last, NULL);
    pid = fork();
    if (pid == 0) {
        signal(SIGTERM, SIG_DFL);
        signal(SIGALRM, SIG_DFL);
        setsid();
        execvp(argv[0], argv);
        _exit(fail("start the builder"));
    }
    if (pid < 0)
        return fail("start the builder");
    builder = pid;
    return wait_for_builder();
}
