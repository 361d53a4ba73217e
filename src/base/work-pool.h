/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A fixed set of threads that run jobs. The pool knows nothing of order: whoever submits jobs keeps them in
 * a queue of its own and waits for the oldest, so that results are consumed in the order of submission,
 * however the threads were scheduled, and bounds the number of jobs under way by how many it submits before
 * it waits.
 */

#include <glib.h>

typedef struct WorkPool WorkPool;
typedef struct WorkJob WorkJob;

/* Embed as the first member of a job's struct; zero-initialise. The submitter owns the memory. */
struct WorkJob {
    /* Runs in a thread of the pool; CONTEXT belongs to that thread. */
    void (*run)(WorkJob *job, gpointer context);
    gboolean done; /* only for the pool */
};

/*
 * THREADS: how many; 0 means one for each processor that this process may use.
 * CONTEXT_NEW (may be NULL) makes one context for each thread from DATA, CONTEXT_FREE frees it.
 */
WorkPool *work_pool_new(
        guint threads, gpointer (*context_new)(gpointer data), GDestroyNotify context_free, gpointer data);

/* Drops jobs that did not start, waits for those that run, ends the threads. */
void work_pool_free(WorkPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WorkPool, work_pool_free)

guint work_pool_get_threads(const WorkPool *pool);

void work_pool_submit(WorkPool *pool, WorkJob *job);

/* Blocks until JOB, which was submitted before, has run. */
void work_pool_wait(WorkPool *pool, WorkJob *job);
