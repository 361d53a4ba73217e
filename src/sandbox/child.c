/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"
#include "base/cleanup.h"
#include "events/events.h"
#include "events/task.h"
#include "sandbox/sandbox-private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* A program that runs from its build directory finds its parts there. */
const char *sandbox_program(void) {
    static gsize path;
    if (g_once_init_enter(&path)) {
        const char *chosen = g_getenv("PARTICLEOS_SANDBOX");
        g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
        if (chosen)
            chosen = g_strdup(chosen);
        else if (self && g_str_has_prefix(self, PARTICLEOS_BUILD_DIR "/"))
            chosen = PARTICLEOS_BUILD_DIR "/src/sandbox/particleos-sandbox";
        else
            chosen = PARTICLEOS_LIBEXECDIR "/particleos-sandbox";
        g_once_init_leave(&path, (gsize) chosen);
    }
    return (const char *) path;
}

static gboolean system_error(GError **error, int number, const char *what) {
    g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START, "cannot %s: %s", what, g_strerror(number));
    return FALSE;
}

char *sandbox_describe(const char *const *argv) {
    g_autofree char *line = sandbox_shell_line(argv[0], argv + 1);
    if (strlen(line) <= 200)
        return g_steal_pointer(&line);
    g_autofree char *valid = g_utf8_make_valid(line, -1);
    g_autofree char *start = g_utf8_substring(valid, 0, MIN(g_utf8_strlen(valid, -1), 180));
    return g_strdup_printf("%s ...", start);
}

/* The arguments in memory, each with its NUL byte. */
static int arguments_to_fd(const GPtrArray *arguments, GError **error) {
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    for (guint i = 0; arguments->pdata[i]; i++)
        g_byte_array_append(bytes, arguments->pdata[i], strlen(arguments->pdata[i]) + 1);
    AUTO_FD fd = memfd_create("particleos-sandbox", MFD_CLOEXEC);
    if (fd < 0) {
        system_error(error, errno, "make a file in memory");
        return -1;
    }
    for (gsize done = 0; done < bytes->len;) {
        ssize_t n = write(fd, bytes->data + done, bytes->len - done);
        if (n < 0 && errno != EINTR) {
            system_error(error, errno, "write a file in memory");
            return -1;
        }
        done += MAX(n, 0);
    }
    return steal_fd(&fd);
}

/* A copy above the standard descriptors, so that the copies made in the child do not run into each other. */
static int copy_above_stdio(int fd) {
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

typedef struct {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
} SpawnPlan;

static void spawn_plan_clear(SpawnPlan *plan) {
    posix_spawn_file_actions_destroy(&plan->actions);
    posix_spawnattr_destroy(&plan->attributes);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpawnPlan, spawn_plan_clear)

static void spawn_plan_init(SpawnPlan *plan) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&plan->actions);
    posix_spawnattr_init(&plan->attributes);
    posix_spawnattr_setsigmask(&plan->attributes, &none);
    posix_spawnattr_setsigdefault(&plan->attributes, &all);
    posix_spawnattr_setflags(&plan->attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* Starts particleos-sandbox with its instructions on ARGUMENTS_FD. */
static gboolean spawn(const Sandbox *sandbox, int arguments_fd, int status_fd, const SandboxStdio *stdio,
        pid_t *ret_pid, GError **error) {
    AUTO_FD in = copy_above_stdio(stdio->in);
    AUTO_FD out = copy_above_stdio(stdio->out);
    AUTO_FD err = copy_above_stdio(stdio->err);
    if (in < 0 || out < 0 || err < 0)
        return system_error(error, errno, "copy file descriptors");

    g_auto(SpawnPlan) plan;
    spawn_plan_init(&plan);
    posix_spawn_file_actions_adddup2(&plan.actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&plan.actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&plan.actions, err, STDERR_FILENO);
    /* The same number: loses its close-on-exec flag. */
    posix_spawn_file_actions_adddup2(&plan.actions, arguments_fd, arguments_fd);
    posix_spawn_file_actions_adddup2(&plan.actions, status_fd, status_fd);
    for (guint i = 0; i < sandbox->pass_fds->len; i++) {
        int fd = g_array_index(sandbox->pass_fds, int, i);
        posix_spawn_file_actions_adddup2(&plan.actions, fd, fd);
    }

    if (sandbox->listen_fd >= 0)
        posix_spawn_file_actions_adddup2(&plan.actions, sandbox->listen_fd, sandbox->listen_fd);

    g_autofree char *arguments_number = g_strdup_printf("%d", arguments_fd);
    g_autofree char *status_number = g_strdup_printf("%d", status_fd);
    g_autofree char *parent = g_strdup_printf("%d", (int) getpid());
    char *argv[] = {(char *) "particleos-sandbox", (char *) "--parent", parent, (char *) "--status-fd",
            status_number, (char *) "--args", arguments_number, NULL};
    gboolean traced = task_has(sandbox->task, TASK_DEBUG_SANDBOX);
    g_autoptr(GPtrArray) command = sandbox_traced_command(sandbox, argv, error);
    if (!command)
        return FALSE;
    const char *program = traced ? command->pdata[0] : sandbox_program();
    /* The environment of the program is among the instructions. That of its keepers can be read for as long
     * as they run. */
    char *environment[] = {NULL};
    int r = posix_spawn(
            ret_pid, program, &plan.actions, &plan.attributes, (char **) command->pdata, environment);
    if (r != 0) {
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START, "cannot run %s: %s", program, g_strerror(r));
        return FALSE;
    }
    return TRUE;
}

static gboolean refuse_when_cancelled(const Task *task, GError **error) {
    if (!task_is_cancelled(task))
        return TRUE;
    g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_CANCELLED, "interrupted");
    return FALSE;
}

gboolean sandbox_child_start(const Sandbox *sandbox, const char *const *argv, const SandboxStdio *stdio,
        SandboxChild *ret_child, GError **error) {
    g_autoptr(TaskScope) scope = sandbox->task ? task_enter(sandbox->task) : NULL;
    g_autoptr(GPtrArray) arguments = sandbox_arguments(sandbox, argv);
    if (events_debug_enabled()) {
        g_autofree char *line =
                sandbox_shell_line(sandbox_program(), (const char *const *) arguments->pdata);
        events_command(line);
    }
    if (!refuse_when_cancelled(sandbox->task, error))
        return FALSE;
    AUTO_FD arguments_fd = arguments_to_fd(arguments, error);
    if (arguments_fd < 0)
        return FALSE;
    int status[2];
    if (pipe2(status, O_CLOEXEC) < 0)
        return system_error(error, errno, "make a pipe");
    AUTO_FD status_read = status[0], status_write = status[1];
    guint place = 0;
    if (!task_reserve_process(sandbox->task, &place)) {
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START, "too many programs run at once");
        return FALSE;
    }
    if (!spawn(sandbox, arguments_fd, status_write, stdio, &ret_child->pid, error)) {
        task_release_process(sandbox->task, place);
        return FALSE;
    }
    task_set_process(sandbox->task, place, ret_child->pid);
    ret_child->task = sandbox->task ? task_ref(sandbox->task) : NULL;
    ret_child->place = place;
    ret_child->status_fd = steal_fd(&status_read);
    ret_child->command = sandbox_describe(argv);
    ret_child->start = g_get_monotonic_time();
    return TRUE;
}

void sandbox_child_kill(const SandboxChild *child) {
    kill(child->pid, SIGTERM);
}

/* Reads the records of the status descriptor to their end. */
static GByteArray *read_status(int fd) {
    GByteArray *status = g_byte_array_new();
    for (;;) {
        guint8 buffer[1024];
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n > 0)
            g_byte_array_append(status, buffer, n);
        else if (n == 0 || errno != EINTR)
            break;
    }
    g_byte_array_append(status, (const guint8 *) "", 1);
    return status;
}

static gint64 microseconds(const struct timeval *time) {
    return time->tv_sec * G_USEC_PER_SEC + time->tv_usec;
}

/* What the program used, and everything that it waited for. */
static void report_usage(const SandboxChild *child, const struct rusage *usage, Task *task) {
    enum { UNIT = 512 }; /* in which the kernel counts */
    g_autoptr(TaskScope) scope = task ? task_enter(task) : NULL;
    events_program_ended(child->command, g_get_monotonic_time() - child->start,
            microseconds(&usage->ru_utime) + microseconds(&usage->ru_stime), (guint64) usage->ru_inblock * UNIT,
            (guint64) usage->ru_oublock * UNIT);
}

gboolean sandbox_child_finish(SandboxChild *child, int *ret_status, GError **error) {
    g_autoptr(GByteArray) record = read_status(child->status_fd);
    close(child->status_fd);
    /* The process has closed its end, so it is ending: from here on its number must not be used. */
    g_autoptr(Task) task = g_steal_pointer(&child->task);
    task_release_process(task, child->place);
    int status = 0;
    struct rusage usage = {0};
    while (wait4(child->pid, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    report_usage(child, &usage, task);
    g_clear_pointer(&child->command, g_free);

    const char *text = (const char *) record->data;
    if (*text == 'E') {
        g_set_error_literal(error, SANDBOX_ERROR, SANDBOX_ERROR_START, text + 1);
        return FALSE;
    }
    if (*text == 'S') {
        *ret_status = (int) g_ascii_strtoll(text + 1, NULL, 10);
        return TRUE;
    }
    if (!refuse_when_cancelled(task, error))
        return FALSE;
    /* Ended without a word: killed. */
    *ret_status = WIFSIGNALED(status) ? status : SIGKILL;
    return TRUE;
}
