/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Help for those who look for what goes wrong in a sandbox. */

#include "sandbox/sandbox-private.h"
#include "base/cleanup.h"

#include <fcntl.h>

/* Standard error of a sandbox is a pipe that is only shown when something fails, so strace writes to ours.
 */
static const char *trace_output(void) {
    static gsize path;

    if (g_once_init_enter(&path)) {
        int fd = fcntl(STDERR_FILENO, F_DUPFD, 3);
        g_once_init_leave(&path, (gsize) g_strdup_printf("--output=/dev/fd/%d", fd));
    }
    return (const char *) path;
}

static const char *strace_path(void) {
    static gsize path;

    if (g_once_init_enter(&path)) {
        char *found = g_find_program_in_path("strace");
        g_once_init_leave(&path, (gsize) (found ? found : ""));
    }
    return (const char *) path;
}

GPtrArray *sandbox_traced_command(const Sandbox *sandbox, char **argv, GError **error) {
    GPtrArray *command = g_ptr_array_new();

    if (task_has(sandbox->task, TASK_DEBUG_SANDBOX)) {
        const char *strace = strace_path();
        if (!*strace) {
            g_ptr_array_unref(command);
            g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START,
                    "--debug-sandbox needs strace, which is not installed: install the package strace");
            return NULL;
        }
        /* As its grandchild, strace does not come between us and the sandbox. */
        const char *const words[] = {strace, "--daemonize=grandchild", "--follow-forks",
                "--detach-on=execve", "--string-limit=256", "--output-append-mode", trace_output(),
                sandbox_program()};
        for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
            g_ptr_array_add(command, (char *) words[i]);
        argv++;
    }
    for (; *argv; argv++)
        g_ptr_array_add(command, *argv);
    g_ptr_array_add(command, NULL);
    return command;
}
