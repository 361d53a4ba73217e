/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "kitchen/install/install.h"
#include "kitchen/install/private.h"
#include "kitchen/process/process.h"

/* A descriptor that reads TEXT. It fits into the buffer of a pipe. */
static int input_pipe(const char *text, GError **error) {
    AUTO_FD in = -1, out = -1;
    int pipes[2];

    if (pipe2(pipes, O_CLOEXEC) < 0) {
        set_errno_error(error, errno, "Cannot make a pipe");
        return -1;
    }
    in = pipes[0];
    out = pipes[1];
    if (write_all(out, text, strlen(text)))
        return steal_fd(&in);
    set_errno_error(error, errno, "Cannot write to a pipe");
    return -1;
}

gboolean install_run(Install *install, const char *const *argv, const char *input, GError **error) {
    g_autofree char *line = g_strjoinv(" ", (char **) argv);
    g_autofree char *program = g_find_program_in_path(argv[0]);
    AUTO_FD in = -1;
    int status = 0;

    if (!program) {
        install_say(install, "leaves out %s: there is no program %s here", line, argv[0]);
        return TRUE;
    }
    install_say(install, "%s %s", install->options->dry_run ? "would run" : "runs     ", line);
    if (install->options->dry_run)
        return TRUE;
    if (input && (in = input_pipe(input, error)) < 0)
        return FALSE;
    const ProcessPlan plan = {.argv = argv, .in = in, .out = STDERR_FILENO, .err = STDERR_FILENO, .events = -1};
    pid_t pid = process_start(&plan, error);
    if (pid < 0)
        return FALSE;
    (void) process_reap(pid, TRUE, &status);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return TRUE;
    g_set_error(error, INSTALL_ERROR, 0, "%s failed: see what it says above", line);
    return FALSE;
}
