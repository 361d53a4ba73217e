/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/work-pool.h"

#include <sched.h>

struct WorkPool {
    GMutex lock;
    GCond submitted; /* a job was queued, or the pool ends */
    GCond finished;  /* a job is done */
    GQueue jobs;
    gboolean ending;
    guint n_threads;
    GThread **threads;
    gpointer (*context_new)(gpointer data);
    GDestroyNotify context_free;
    gpointer data;
};

static gpointer worker(gpointer data) {
    WorkPool *pool = data;
    gpointer context = pool->context_new ? pool->context_new(pool->data) : NULL;

    g_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->ending && g_queue_is_empty(&pool->jobs))
            g_cond_wait(&pool->submitted, &pool->lock);
        if (pool->ending)
            break;
        WorkJob *job = g_queue_pop_head(&pool->jobs);
        g_mutex_unlock(&pool->lock);
        job->run(job, context);
        g_mutex_lock(&pool->lock);
        job->done = TRUE;
        g_cond_broadcast(&pool->finished);
    }
    g_mutex_unlock(&pool->lock);

    if (pool->context_free)
        pool->context_free(context);
    return NULL;
}

/* The affinity mask rather than the number of processors: containers and taskset limit the former. */
static guint usable_processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
    return g_get_num_processors();
}

WorkPool *work_pool_new(
        guint threads, gpointer (*context_new)(gpointer data), GDestroyNotify context_free, gpointer data) {
    WorkPool *pool = g_new0(WorkPool, 1);
    g_mutex_init(&pool->lock);
    g_cond_init(&pool->submitted);
    g_cond_init(&pool->finished);
    g_queue_init(&pool->jobs);
    pool->context_new = context_new;
    pool->context_free = context_free;
    pool->data = data;
    pool->n_threads = threads > 0 ? threads : usable_processors();
    pool->threads = g_new0(GThread *, pool->n_threads);
    for (guint i = 0; i < pool->n_threads; i++)
        pool->threads[i] = g_thread_new("worker", worker, pool);
    return pool;
}

void work_pool_free(WorkPool *pool) {
    if (!pool)
        return;
    g_mutex_lock(&pool->lock);
    pool->ending = TRUE;
    g_queue_clear(&pool->jobs);
    g_cond_broadcast(&pool->submitted);
    g_mutex_unlock(&pool->lock);

    for (guint i = 0; i < pool->n_threads; i++)
        g_thread_join(pool->threads[i]);
    g_free(pool->threads);
    g_cond_clear(&pool->submitted);
    g_cond_clear(&pool->finished);
    g_mutex_clear(&pool->lock);
    g_free(pool);
}

guint work_pool_get_threads(const WorkPool *pool) {
    return pool->n_threads;
}

void work_pool_submit(WorkPool *pool, WorkJob *job) {
    g_mutex_lock(&pool->lock);
    job->done = FALSE;
    g_queue_push_tail(&pool->jobs, job);
    g_cond_signal(&pool->submitted);
    g_mutex_unlock(&pool->lock);
}

void work_pool_wait(WorkPool *pool, WorkJob *job) {
    g_mutex_lock(&pool->lock);
    while (!job->done)
        g_cond_wait(&pool->finished, &pool->lock);
    g_mutex_unlock(&pool->lock);
}
