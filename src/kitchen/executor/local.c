/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "executor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "kitchen/process/process.h"

/* A worker that was told to end and does not is killed after this. */
#define PATIENCE (8 * G_USEC_PER_SEC)

typedef struct {
    Executor executor;
    char *program, *url, *builder, *work, *package_cache;
    GHashTable *asked; /* names of processes that were told to end, and when (gint64, monotonic) */
} LocalExecutor;

/* The ticket goes through a pipe: arguments and environment can be read by others. */
static int ticket_pipe(const char *ticket, GError **error) {
    int pipes[2];

    if (pipe2(pipes, O_CLOEXEC) < 0) {
        set_errno_error(error, errno, "Cannot make a pipe");
        return -1;
    }
    /* It fits into the buffer of a pipe, so this does not wait. */
    if (!write_all(pipes[1], ticket, strlen(ticket))) {
        set_errno_error(error, errno, "Cannot write to a pipe");
        close(pipes[0]);
        pipes[0] = -1;
    }
    close(pipes[1]);
    return pipes[0];
}

static char *submit(Executor *executor, gint64 job, const char *ticket, GError **error) {
    LocalExecutor *local = (LocalExecutor *) executor;
    g_autofree char *cache = local->package_cache ? g_strconcat("--package-cache=", local->package_cache, NULL) : NULL;
    g_autofree char *url = g_strconcat("--url=", local->url, NULL);
    g_autofree char *builder = g_strconcat("--builder=", local->builder, NULL);
    g_autofree char *work = g_strconcat("--work=", local->work, NULL);
    const char *argv[] = {local->program, url, builder, work, cache, NULL};
    AUTO_FD in = ticket_pipe(ticket, error);
    ProcessPlan plan = {.argv = argv, .in = in, .out = -1, .err = STDERR_FILENO, .events = -1};
    pid_t pid = in >= 0 ? process_start(&plan, error) : -1;
    char *name = pid > 0 ? process_name(pid) : NULL;

    if (pid > 0 && !name)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "The worker %s ended at once", local->program);
    return name;
}

static void cancel(Executor *executor, const char *id) {
    LocalExecutor *local = (LocalExecutor *) executor;
    pid_t pid = process_find(id);
    gint64 now = g_get_monotonic_time(), *first = g_hash_table_lookup(local->asked, id);

    if (pid == 0) {
        g_hash_table_remove(local->asked, id);
    } else if (!first) {
        first = g_memdup2(&now, sizeof now);
        g_hash_table_insert(local->asked, g_strdup(id), first);
        process_kill(pid, SIGTERM);
    } else if (now - *first > PATIENCE) {
        process_kill(pid, SIGKILL);
    }
}

static char *describe_end(int status) {
    if (WIFSIGNALED(status))
        return g_strdup_printf("The worker was killed by signal %d", WTERMSIG(status));
    return g_strdup_printf("The worker ended with status %d", WEXITSTATUS(status));
}

static ExecutorState poll(Executor *executor, const char *id, char **ret_why) {
    pid_t pid = (pid_t) g_ascii_strtoll(id, NULL, 10);
    int status = -1;

    /* Our children stay as remains until they are reaped; those of a service before us are somebody else's. */
    if (pid > 1 && process_reap(pid, FALSE, &status) && ret_why && status >= 0)
        *ret_why = describe_end(status);
    return process_find(id) != 0 ? EXECUTOR_RUNS : EXECUTOR_ENDED;
}

static void local_free(Executor *executor) {
    LocalExecutor *local = (LocalExecutor *) executor;

    g_hash_table_unref(local->asked);
    g_free(local->program);
    g_free(local->url);
    g_free(local->builder);
    g_free(local->work);
    g_free(local->package_cache);
    g_free(local);
}

Executor *executor_new_local(const LocalExecutorSettings *settings) {
    LocalExecutor *local = g_new0(LocalExecutor, 1);

    local->executor =
            (Executor){.slots = settings->slots, .submit = submit, .cancel = cancel, .poll = poll, .free = local_free};
    local->program = g_strdup(settings->program);
    local->url = g_strdup(settings->url);
    local->builder = g_strdup(settings->builder);
    local->work = g_strdup(settings->work);
    local->package_cache = g_strdup(settings->package_cache);
    local->asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return &local->executor;
}
