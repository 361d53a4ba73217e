/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What starts workers: processes of this machine; a cluster later. The truth about a job is what its worker
 * reports; an executor only knows whether there is one. */

#include <glib.h>

typedef enum {
    EXECUTOR_WAITS, /* it will start */
    EXECUTOR_RUNS,
    EXECUTOR_ENDED, /* or was never there */
} ExecutorState;

typedef struct Executor Executor;
struct Executor {
    guint slots; /* jobs that it takes at once */
    /* Starts a worker with TICKET for JOB. Returns what the executor calls it, owned by the caller. */
    char *(*submit)(Executor *executor, gint64 job, const char *ticket, GError **error);
    /* Makes it end soon; called again until it has. */
    void (*cancel)(Executor *executor, const char *id);
    /* RET_WHY (may be NULL) receives, owned by the caller, why it waits or how it ended; NULL when unknown. */
    ExecutorState (*poll)(Executor *executor, const char *id, char **ret_why);
    void (*free)(Executor *executor);
};

static inline void executor_free(Executor *executor) {
    if (executor)
        executor->free(executor);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Executor, executor_free)

typedef struct {
    guint slots;
    const char *program;       /* particleos-kitchen-worker */
    const char *url;           /* of the worker API: "http://127.0.0.1:8090/worker" */
    const char *builder;       /* the program particleos */
    const char *work;          /* directory for jobs and caches */
    const char *package_cache; /* directory of packages that all projects share; NULL: below WORK */
} LocalExecutorSettings;

/* Workers are processes of this machine, and go on when the service restarts. */
Executor *executor_new_local(const LocalExecutorSettings *settings);

/* Workers that somebody else starts, for each connection to the socket PATH (SOCK_STREAM), and gives it as standard input; a
 * connection ends with its worker. They are of another user, whom the service cannot become. Those that outlive the service are
 * known by their heartbeats alone. */
Executor *executor_new_socket(const char *path, guint slots);
