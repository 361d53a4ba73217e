/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How states change: the only place that writes build.state and job.state. */

#include "kitchen/model/builds/builds.h"
#include "kitchen/model/builds/events.h"
#include "kitchen/model/builds/jobs.h"
#include "kitchen/model/projects/projects.h"

static gboolean refuse(const char *what, gint64 id, const char *from, const char *to, GError **error) {
    g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE, "A %s (%" G_GINT64_FORMAT ") that is %s cannot become %s", what,
            id, from, to);
    return FALSE;
}

static gboolean set_build_state(Model *model, gint64 id, BuildState to, const BuildChange *change, GError **error) {
    static const BuildChange none;
    g_autoptr(Build) build = build_get(model, id, error);
    g_autofree char *kind = g_strconcat("build.", build_state_to_string(to), NULL);
    gint64 now = model_now(model);

    if (!build)
        return FALSE;
    if (!build_state_may_follow(build->state, to))
        return refuse("build", id, build_state_to_string(build->state), build_state_to_string(to), error);
    change = change ?: &none;
    return database_run(model_database(model),
                   "UPDATE build SET state = ?, failure = ?, detail = coalesce(?, detail), "
                   "same_as = coalesce(?, same_as), wait_reason = NULL, started = coalesce(started, ?), "
                   "finished = ? WHERE id = ?",
                   DB_VALUES(DB_TEXT(build_state_to_string(to)), DB_TEXT(failure_to_string(change->failure)),
                           DB_TEXT(change->detail), DB_ID(change->same_as), DB_ID(to == BUILD_RUNNING ? now : 0),
                           DB_ID(build_state_is_final(to) ? now : 0), DB_INT(id)),
                   error) &&
           event_add(model,
                   &(Event){.project_id = build->project_id,
                           .build_id = id,
                           .user_id = change->user_id,
                           .kind = kind,
                           .detail = (char *) change->detail},
                   error);
}

static gboolean set_job_state(Model *model, const Job *job, JobState to, const JobChange *change, GError **error) {
    static const JobChange none;
    g_autoptr(Build) build = build_get(model, job->build_id, error);
    g_autofree char *kind = g_strconcat("job.", job_state_to_string(to), NULL);
    gint64 now = model_now(model);

    if (!build)
        return FALSE;
    if (!job_state_may_follow(job->state, to))
        return refuse("job", job->id, job_state_to_string(job->state), job_state_to_string(to), error);
    change = change ?: &none;
    /* A lost worker may come back: its token is void. Other workers may ask how it ended. */
    return database_run(model_database(model),
                   "UPDATE job SET state = ?, failure = ?, detail = coalesce(?, detail), "
                   "failing_lines = coalesce(?, failing_lines), skipped = ?, wait_reason = NULL, "
                   "started = coalesce(started, ?), finished = ?, "
                   "ticket_hash = CASE WHEN ? THEN NULL ELSE ticket_hash END, "
                   "token_hash = CASE WHEN ? THEN NULL ELSE token_hash END WHERE id = ?",
                   DB_VALUES(DB_TEXT(job_state_to_string(to)), DB_TEXT(failure_to_string(change->failure)),
                           DB_TEXT(change->detail), DB_TEXT(change->failing_lines), DB_INT(change->skipped),
                           DB_ID(to == JOB_CLAIMED ? now : 0), DB_ID(job_state_is_final(to) ? now : 0),
                           DB_INT(to == JOB_QUEUED || to == JOB_LOST || job_state_is_final(to)),
                           DB_INT(to == JOB_QUEUED || to == JOB_LOST), DB_INT(job->id)),
                   error) &&
           event_add(model,
                   &(Event){.project_id = build->project_id,
                           .build_id = build->id,
                           .job_id = job->id,
                           .user_id = change->user_id,
                           .kind = kind,
                           .detail = (char *) change->detail},
                   error);
}

/* The build is over: what no worker has is cancelled, workers are asked to stop. */
static gboolean end_jobs(Model *model, gint64 build, GError **error) {
    g_autoptr(GPtrArray) jobs = job_list(model, build, error);

    if (!jobs)
        return FALSE;
    for (guint i = 0; i < jobs->len; i++) {
        const Job *job = jobs->pdata[i];

        if (job->state == JOB_QUEUED || job->state == JOB_SUBMITTED || job->state == JOB_UPLOADED) {
            if (!set_job_state(model, job, JOB_CANCELLED, NULL, error))
                return FALSE;
        } else if (!job_state_is_final(job->state) &&
                   !database_run(model_database(model), "UPDATE job SET cancel = 1 WHERE id = ?",
                           DB_VALUES(DB_INT(job->id)), error))
            return FALSE;
    }
    return TRUE;
}

static gboolean change_build(Model *model, gint64 id, BuildState to, const BuildChange *change, GError **error) {
    return set_build_state(model, id, to, change, error) && (!build_state_is_final(to) || end_jobs(model, id, error));
}

gboolean build_transition(Model *model, gint64 id, BuildState to, const BuildChange *change, GError **error) {
    g_autoptr(DatabaseTransaction) transaction = database_begin(model_database(model), error);

    return transaction && change_build(model, id, to, change, error) && database_commit(transaction, error);
}

static gboolean add_successor(Model *model, const Job *job, gboolean force, GError **error) {
    return database_run(model_database(model),
            "INSERT INTO job (build_id, target_id, attempt, state, force, created) "
            "VALUES (?, ?, ?, 'queued', ?, ?)",
            DB_VALUES(DB_INT(job->build_id), DB_INT(job->target_id), DB_INT(job->attempt + 1), DB_INT(force),
                    DB_INT(model_now(model))),
            error);
}

/* The last attempt at each target. */
static GPtrArray *last_attempts(GPtrArray *jobs) {
    GPtrArray *last = g_ptr_array_new();

    for (guint i = 0; i < jobs->len; i++) {
        const Job *job = jobs->pdata[i];
        const Job *next = i + 1 < jobs->len ? jobs->pdata[i + 1] : NULL;

        if (!next || next->target_id != job->target_id)
            g_ptr_array_add(last, (gpointer) job);
    }
    return last;
}

static gboolean nothing_changed(Model *model, gint64 build, GPtrArray *last, GError **error) {
    const Job *job = last->pdata[0];
    BuildChange change = {.detail = job->detail ?: "Nothing had changed"};

    return change_build(model, build, BUILD_SKIPPED, &change, error);
}

/* When all jobs have ended: skipped, if nothing had changed; else all are needed, and then checked. */
static gboolean settle_all(Model *model, gint64 build, GError **error) {
    g_autoptr(GPtrArray) jobs = job_list(model, build, error);
    g_autoptr(GPtrArray) last = jobs ? last_attempts(jobs) : NULL;
    BuildChange failed = {.failure = FAILURE_SCRIPT, .detail = "No target could be built"};
    guint built = 0, skipped = 0;

    if (!jobs)
        return FALSE;
    for (guint i = 0; i < last->len; i++) {
        const Job *job = last->pdata[i];

        if (!job_state_is_final(job->state))
            return TRUE;
        built += job->state == JOB_DONE && !job->skipped;
        skipped += job->state == JOB_DONE && job->skipped;
    }
    if (built == 0)
        return skipped > 0 ? nothing_changed(model, build, last, error)
                           : change_build(model, build, BUILD_FAILED, &failed, error);
    if (skipped == 0)
        return change_build(model, build, BUILD_CHECKING, NULL, error);
    /* A version has all targets of its project: what had not changed is built as well. */
    for (guint i = 0; i < last->len; i++) {
        const Job *job = last->pdata[i];

        if (job->state == JOB_DONE && job->skipped && !add_successor(model, job, TRUE, error))
            return FALSE;
    }
    return TRUE;
}

/* A job has ended without a result. */
static gboolean settle_failed(Model *model, const Job *job, JobState to, const JobChange *change, GError **error) {
    g_autoptr(Target) target = target_get(model, job->target_id, error);
    BuildChange build = {.failure = change ? change->failure : FAILURE_NONE,
            .detail = change ? change->detail : NULL,
            .same_as = change ? change->same_as : 0};

    if (!target)
        return FALSE;
    if (to == JOB_CANCELLED)
        return change_build(model, job->build_id, BUILD_CANCELLED, &build, error);
    if (!target->required)
        return settle_all(model, job->build_id, error);
    return change_build(model, job->build_id, BUILD_FAILED, &build, error);
}

/* What the new state of a job means for its build. */
static gboolean settle(Model *model, const Job *job, JobState to, const JobChange *change, GError **error) {
    g_autoptr(Build) build = build_get(model, job->build_id, error);

    if (!build)
        return FALSE;
    if (build_state_is_final(build->state))
        return TRUE;
    switch (to) {
    case JOB_CLAIMED:
        return build->state != BUILD_WAITING || set_build_state(model, build->id, BUILD_RUNNING, NULL, error);
    case JOB_DONE:
        return settle_all(model, build->id, error);
    case JOB_LOST:
        if (job->attempt < JOB_ATTEMPTS_MAX)
            return add_successor(model, job, job->force, error);
        return settle_failed(model, job, to, change, error);
    case JOB_FAILED:
    case JOB_CANCELLED:
        return settle_failed(model, job, to, change, error);
    default:
        return TRUE;
    }
}

gboolean job_transition(Model *model, gint64 id, JobState to, const JobChange *change, GError **error) {
    g_autoptr(DatabaseTransaction) transaction = database_begin(model_database(model), error);
    g_autoptr(Job) job = transaction ? job_get(model, id, error) : NULL;

    return job && set_job_state(model, job, to, change, error) && settle(model, job, to, change, error) &&
           database_commit(transaction, error);
}
