/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/pager.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Quit when it fits on one screen, leave the screen as it is, long prompt, quit on interrupt, colours. */
#define LESS_OPTIONS "FXMKR"

static GPid pager;

static char *find_pager(void) {
    const char *wanted = g_getenv("PAGER");
    if (wanted && (!*wanted || strcmp(wanted, "cat") == 0))
        return NULL;
    return g_strdup(wanted ?: "less");
}

/* TRUE when PROGRAM reads what is written to RET_FD from now on. */
static gboolean spawn(const char *program, int *ret_fd) {
    g_auto(GStrv) arguments = NULL;
    g_auto(GStrv) environment = g_get_environ();
    int ends[2];

    if (!g_shell_parse_argv(program, NULL, &arguments, NULL) || pipe2(ends, O_CLOEXEC) < 0)
        return FALSE;
    environment = g_environ_setenv(environment, "LESS", g_getenv("MKOSI_LESS") ?: LESS_OPTIONS, TRUE);
    environment = g_environ_setenv(environment, "LESSCHARSET", "utf-8", FALSE);
    /* The one child beside the sandbox: it shows text to the caller and sees nothing of a build. */
    gboolean good =
            g_spawn_async_with_fds(NULL, arguments, environment, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                    NULL, &pager, ends[0], STDOUT_FILENO, STDERR_FILENO, NULL);
    close(ends[0]);
    if (good)
        *ret_fd = ends[1];
    else
        close(ends[1]);
    return good;
}

void ui_pager_start(gboolean enabled) {
    const char *terminal = g_getenv("TERM");
    g_autofree char *program = find_pager();
    int fd;

    if (!enabled || pager || !program || !isatty(STDOUT_FILENO) || !terminal || strcmp(terminal, "dumb") == 0)
        return;
    fflush(stdout);
    if (!spawn(program, &fd))
        return;
    dup2(fd, STDOUT_FILENO);
    close(fd);
    /* Whoever leaves the pager early has seen enough. */
    signal(SIGPIPE, SIG_IGN);
}

void ui_pager_finish(void) {
    if (!pager)
        return;
    fflush(stdout);
    AUTO_FD nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(nowhere, STDOUT_FILENO);
    while (waitpid(pager, NULL, 0) < 0 && errno == EINTR)
        ;
    pager = 0;
    clearerr(stdout);
}
