/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What holds for all sandboxes of this process: help for those who look for what goes wrong, and what to do
 * where the kernel does not allow everything. */

#include "sandbox/sandbox-private.h"
#include "base/cleanup.h"

#include <fcntl.h>

static SandboxDebugFlags debug_flags;
static gboolean weak;

void sandbox_set_debug(SandboxDebugFlags flags) {
    debug_flags = flags;
}

SandboxDebugFlags sandbox_debug_flags(void) {
    return debug_flags;
}

void sandbox_allow_weak(gboolean allowed) {
    weak = allowed;
}

gboolean sandbox_is_weak(void) {
    return weak;
}

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

GPtrArray *sandbox_traced_command(char **argv, GError **error) {
    GPtrArray *command = g_ptr_array_new();

    if (debug_flags & SANDBOX_DEBUG_TRACE) {
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
