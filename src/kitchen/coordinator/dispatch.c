/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/coordinator/private.h"
#include "kitchen/model/builds/jobs.h"
#include "kitchen/model/builds/queue.h"

/* After a start workers that went on without us may be silent for longer. */
#define GRACE (30 * 1000)
/* For so long after its end the worker of a job is told to end as well. */
#define AFTERWARDS (10 * 60 * 1000)

/* What was submitted and not yet started when the service ended begins anew, unless its worker is there: it claims with the
 * ticket that it has. */
static gboolean recover_job(Coordinator *coordinator, const Job *job, GError **error) {
    Executor *executor = coordinator->settings.executor;

    if (job->executor_id && executor->poll(executor, job->executor_id, NULL) != EXECUTOR_ENDED)
        return TRUE;
    return job_transition(coordinator->model, job->id, JOB_QUEUED, NULL, error);
}

gboolean dispatch_recover(Coordinator *coordinator, GError **error) {
    g_autoptr(GPtrArray) jobs = job_list_in_state(coordinator->model, JOB_SUBMITTED, error);

    for (guint i = 0; jobs && i < jobs->len; i++)
        if (!recover_job(coordinator, jobs->pdata[i], error))
            return FALSE;
    return jobs != NULL;
}

/* The worker of JOB has ended without saying how the job did. */
static gboolean end_without_worker(Coordinator *coordinator, const Job *job, const char *why, GError **error) {
    g_autofree char *detail = g_strdup_printf("The worker is gone: %s", why ?: "nobody knows why");
    JobChange change = {.failure = FAILURE_LOST, .detail = detail};

    if (job->cancel)
        return job_transition(coordinator->model, job->id, JOB_CANCELLED, NULL, error);
    return job_transition(coordinator->model, job->id, JOB_LOST, &change, error);
}

static gboolean watch_job(Coordinator *coordinator, gint64 id, JobState state, GError **error) {
    Executor *executor = coordinator->settings.executor;
    g_autoptr(Job) job = job_get(coordinator->model, id, error);
    g_autofree char *why = NULL;

    if (!job)
        return FALSE;
    if (job->state != state || !job->executor_id)
        return TRUE;
    if (job->cancel)
        executor->cancel(executor, job->executor_id);
    if (executor->poll(executor, job->executor_id, &why) != EXECUTOR_ENDED)
        return TRUE;
    return end_without_worker(coordinator, job, why, error);
}

static gboolean watch_state(Coordinator *coordinator, JobState state, GError **error) {
    g_autoptr(GPtrArray) jobs = job_list_in_state(coordinator->model, state, error);

    for (guint i = 0; jobs && i < jobs->len; i++)
        if (!watch_job(coordinator, ((Job *) jobs->pdata[i])->id, state, error))
            return FALSE;
    return jobs != NULL;
}

/* Workers whose jobs were ended by us. */
static gboolean end_workers(Coordinator *coordinator, GError **error) {
    Executor *executor = coordinator->settings.executor;
    g_autoptr(GPtrArray) jobs = job_list_ended(coordinator->model, model_now(coordinator->model) - AFTERWARDS, error);

    for (guint i = 0; jobs && i < jobs->len; i++) {
        const Job *job = jobs->pdata[i];

        if (job->executor_id && executor->poll(executor, job->executor_id, NULL) != EXECUTOR_ENDED)
            executor->cancel(executor, job->executor_id);
    }
    return jobs != NULL;
}

gboolean dispatch_watch(Coordinator *coordinator, GError **error) {
    static const JobState states[] = {JOB_SUBMITTED, JOB_CLAIMED, JOB_RUNNING};
    gint64 grace = model_now(coordinator->model) - coordinator->started < GRACE + JOB_SILENCE_MAX ? GRACE : 0;

    for (guint i = 0; i < G_N_ELEMENTS(states); i++)
        if (!watch_state(coordinator, states[i], error))
            return FALSE;
    return jobs_expire(coordinator->model, grace, NULL, error) && end_workers(coordinator, error);
}

static gboolean start_job(Coordinator *coordinator, gint64 id, GError **error) {
    Executor *executor = coordinator->settings.executor;
    g_autofree char *ticket = job_submit(coordinator->model, id, error);
    g_autoptr(GError) failure = NULL;
    g_autofree char *name = ticket ? executor->submit(executor, id, ticket, &failure) : NULL;

    if (!ticket)
        return FALSE;
    if (!name) {
        JobChange change = {.failure = FAILURE_LOST, .detail = failure->message};
        return job_transition(coordinator->model, id, JOB_LOST, &change, error);
    }
    return job_set_executor(coordinator->model, id, name, error);
}

gboolean dispatch_start(Coordinator *coordinator, GError **error) {
    QueueState state = {.slots = coordinator->settings.executor->slots, .stopped = coordinator->stopped};
    g_autoptr(GError) failure = NULL;
    gint64 id = 0;

    while ((id = queue_next(coordinator->model, &state, &failure)) != 0)
        if (!start_job(coordinator, id, error))
            return FALSE;
    return model_check(failure, error) && queue_explain(coordinator->model, &state, error);
}
