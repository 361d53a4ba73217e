/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/builds/jobs.h"

#include "kitchen/model/builds/builds.h"

#define JOB_COLUMNS                                                                                                    \
    "job.id, build_id, target_id, attempt, job.state, job.failure, job.detail, failing_lines, "                        \
    "job.wait_reason, executor_id, worker, token_expires, heartbeat, log_size, step, cancel, skipped, "                \
    "force, job.created, job.started, job.finished FROM job "

/* A token outlives the timeout of its job by this, for uploads and signatures. */
#define TOKEN_RESERVE (30 * 60)

void job_free(Job *job) {
    if (!job)
        return;
    g_free(job->detail);
    g_free(job->failing_lines);
    g_free(job->wait_reason);
    g_free(job->executor_id);
    g_free(job->worker);
    g_free(job->step);
    g_free(job);
}

static gpointer read_job(const DatabaseRows *rows) {
    Job *job = g_new0(Job, 1);

    job->id = database_rows_integer(rows, 0);
    job->build_id = database_rows_integer(rows, 1);
    job->target_id = database_rows_integer(rows, 2);
    job->attempt = database_rows_integer(rows, 3);
    job->state = (JobState) job_state_from_string(database_rows_text(rows, 4));
    job->failure = (FailureKind) failure_from_string(database_rows_text(rows, 5));
    job->detail = database_rows_dup(rows, 6);
    job->failing_lines = database_rows_dup(rows, 7);
    job->wait_reason = database_rows_dup(rows, 8);
    job->executor_id = database_rows_dup(rows, 9);
    job->worker = database_rows_dup(rows, 10);
    job->token_expires = database_rows_integer(rows, 11);
    job->heartbeat = database_rows_integer(rows, 12);
    job->log_size = database_rows_integer(rows, 13);
    job->step = database_rows_dup(rows, 14);
    job->cancel = database_rows_integer(rows, 15) != 0;
    job->skipped = database_rows_integer(rows, 16) != 0;
    job->force = database_rows_integer(rows, 17) != 0;
    job->created = database_rows_integer(rows, 18);
    job->started = database_rows_integer(rows, 19);
    job->finished = database_rows_integer(rows, 20);
    return job;
}

Job *job_get(Model *model, gint64 id, GError **error) {
    return model_row(model, "SELECT " JOB_COLUMNS "WHERE id = ?", DB_VALUES(DB_INT(id)), read_job, "job", error);
}

GPtrArray *job_list(Model *model, gint64 build, GError **error) {
    return model_rows(model, "SELECT " JOB_COLUMNS "WHERE build_id = ? ORDER BY target_id, attempt",
            DB_VALUES(DB_INT(build)), read_job, (GDestroyNotify) job_free, error);
}

GPtrArray *job_list_in_state(Model *model, JobState state, GError **error) {
    return model_rows(model, "SELECT " JOB_COLUMNS "WHERE state = ? ORDER BY id",
            DB_VALUES(DB_TEXT(job_state_to_string(state))), read_job, (GDestroyNotify) job_free, error);
}

GPtrArray *job_list_ended(Model *model, gint64 since, GError **error) {
    return model_rows(model, "SELECT " JOB_COLUMNS "WHERE finished >= ? AND executor_id IS NOT NULL ORDER BY id",
            DB_VALUES(DB_INT(since)), read_job, (GDestroyNotify) job_free, error);
}

char *job_submit(Model *model, gint64 id, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);
    g_autofree char *ticket = model_secret_new();
    g_autofree char *hash = model_secret_digest(ticket);

    if (!transaction || !job_transition(model, id, JOB_SUBMITTED, NULL, error) ||
            !database_run(database,
                    "UPDATE job SET ticket_hash = ?, token_hash = NULL, executor_id = NULL, heartbeat = ? "
                    "WHERE id = ?",
                    DB_VALUES(DB_TEXT(hash), DB_INT(model_now(model)), DB_INT(id)), error) ||
            /* Turns: the namespace goes behind all others. */
            !database_run(database,
                    "UPDATE namespace SET served = (SELECT max(served) + 1 FROM namespace) WHERE id = "
                    "(SELECT namespace_id FROM project JOIN build ON project.id = project_id "
                    "JOIN job ON build.id = build_id WHERE job.id = ?)",
                    DB_VALUES(DB_INT(id)), error) ||
            !database_commit(transaction, error))
        return NULL;
    return g_steal_pointer(&ticket);
}

gboolean job_set_executor(Model *model, gint64 id, const char *executor_id, GError **error) {
    return database_run(model_database(model), "UPDATE job SET executor_id = ? WHERE id = ?",
            DB_VALUES(DB_TEXT(executor_id), DB_INT(id)), error);
}

/* The job that SQL finds by HASH; MODEL_ERROR_DENIED when there is none. */
static Job *find_by_hash(Model *model, const char *sql, const char *hash, const char *what, GError **error) {
    g_autoptr(GError) failure = NULL;
    Job *job = model_row(model, sql, DB_VALUES(DB_TEXT(hash)), read_job, "job", &failure);

    if (!job && g_error_matches(failure, MODEL_ERROR, MODEL_ERROR_NOT_FOUND))
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_DENIED, "This %s is not valid (any more)", what);
    else if (!job)
        g_propagate_error(error, g_steal_pointer(&failure));
    return job;
}

/* TRUE when TOKEN, as a digest, is the one that the job was claimed with. -1: an error. */
static int is_token_of(Model *model, const Job *job, const char *token, GError **error) {
    g_autoptr(GError) failure = NULL;
    gint64 n = database_integer(model_database(model), "SELECT count(*) FROM job WHERE id = ? AND token_hash = ?",
            DB_VALUES(DB_INT(job->id), DB_TEXT(token)), 0, &failure);

    return model_check(failure, error) ? n == 1 : -1;
}

/* When the token of JOB ends: the project's timeout and some more. 0 with ERROR set. */
static gint64 token_end(Model *model, const Job *job, GError **error) {
    g_autoptr(GError) failure = NULL;
    gint64 timeout = database_integer(model_database(model),
            "SELECT timeout FROM project JOIN build ON project.id = project_id WHERE build.id = ?",
            DB_VALUES(DB_INT(job->build_id)), 0, &failure);

    return model_check(failure, error) ? model_now(model) + (timeout + TOKEN_RESERVE) * 1000 : 0;
}

Job *job_claim(Model *model, const char *ticket, const char *token, const char *worker, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);
    g_autofree char *ticket_hash = model_secret_digest(ticket);
    g_autofree char *token_hash = model_secret_digest(token);
    g_autoptr(Job) job = NULL;
    gint64 expires = 0;
    int same = 0;

    if (!transaction)
        return NULL;
    job = find_by_hash(model, "SELECT " JOB_COLUMNS "WHERE ticket_hash = ?", ticket_hash, "ticket", error);
    if (!job || (same = is_token_of(model, job, token_hash, error)) < 0)
        return NULL;
    if (same)
        return g_steal_pointer(&job);
    if (job->state != JOB_SUBMITTED) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_DENIED, "This ticket was used already");
        return NULL;
    }
    if ((expires = token_end(model, job, error)) == 0 ||
            !database_run(database,
                    "UPDATE job SET token_hash = ?, token_expires = ?, worker = ?, heartbeat = ? "
                    "WHERE id = ?",
                    DB_VALUES(DB_TEXT(token_hash), DB_INT(expires), DB_TEXT(worker), DB_INT(model_now(model)),
                            DB_INT(job->id)),
                    error) ||
            !job_transition(model, job->id, JOB_CLAIMED, NULL, error) || !database_commit(transaction, error))
        return NULL;
    return job_get(model, job->id, error);
}

Job *job_authenticate(Model *model, const char *token, GError **error) {
    g_autofree char *hash = model_secret_digest(token);
    g_autoptr(Job) job = find_by_hash(model, "SELECT " JOB_COLUMNS "WHERE token_hash = ?", hash, "token", error);

    if (job && job->token_expires < model_now(model)) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_DENIED, "This token has expired");
        return NULL;
    }
    return g_steal_pointer(&job);
}

gboolean job_heartbeat(Model *model, gint64 id, gint64 log_size, const char *step, GError **error) {
    gint64 now = model_now(model);

    /* Each write is a sync of the disk: many workers speak every second. */
    return database_run(model_database(model),
            "UPDATE job SET heartbeat = ?, log_size = max(log_size, ?), step = coalesce(?, step) "
            "WHERE id = ? AND (heartbeat IS NULL OR heartbeat <= ? OR coalesce(step, '') <> coalesce(?, step, ''))",
            DB_VALUES(DB_INT(now), DB_INT(log_size), DB_TEXT(step), DB_INT(id), DB_INT(now - JOB_HEARTBEAT_STEP),
                    DB_TEXT(step)),
            error);
}

gboolean job_set_log_size(Model *model, gint64 id, gint64 size, GError **error) {
    return database_run(model_database(model), "UPDATE job SET log_size = ? WHERE id = ?",
            DB_VALUES(DB_INT(size), DB_INT(id)), error);
}

gboolean job_set_wait_reason(Model *model, gint64 id, const char *reason, GError **error) {
    return database_run(model_database(model), "UPDATE job SET wait_reason = ? WHERE id = ?",
            DB_VALUES(DB_TEXT(reason), DB_INT(id)), error);
}

/* A worker that was asked to stop and does not answer has stopped. */
static gboolean end_silent(Model *model, const Job *job, GError **error) {
    JobChange change = {.failure = FAILURE_LOST,
            .detail = job->state == JOB_SUBMITTED ? "No worker took the job" : "The worker does not answer any more"};

    if (job->cancel)
        return job_transition(model, job->id, JOB_CANCELLED, NULL, error);
    return job_transition(model, job->id, JOB_LOST, &change, error);
}

static gboolean end_slow(Model *model, const Job *job, gint64 timeout, GError **error) {
    g_autofree char *detail =
            g_strdup_printf("It took longer than the %" G_GINT64_FORMAT " s that the project allows", timeout);
    JobChange change = {.failure = FAILURE_TIMEOUT, .detail = detail};

    return job_transition(model, job->id, JOB_FAILED, &change, error);
}

static gboolean expire_one(Model *model, const Job *job, gint64 grace, guint *changed, GError **error) {
    gint64 now = model_now(model), silence = now - job->heartbeat;
    g_autoptr(GError) failure = NULL;
    gint64 timeout = database_integer(model_database(model),
            "SELECT timeout FROM project JOIN build ON project.id = project_id WHERE build.id = ?",
            DB_VALUES(DB_INT(job->build_id)), 0, &failure);

    if (!model_check(failure, error))
        return FALSE;
    if (silence > grace + (job->state == JOB_SUBMITTED ? JOB_CLAIM_MAX : JOB_SILENCE_MAX)) {
        (*changed)++;
        return end_silent(model, job, error);
    }
    if (job->state == JOB_RUNNING && timeout > 0 && now - job->started > timeout * 1000) {
        (*changed)++;
        return end_slow(model, job, timeout, error);
    }
    return TRUE;
}

gboolean jobs_expire(Model *model, gint64 grace, guint *ret_changed, GError **error) {
    static const JobState watched[] = {JOB_SUBMITTED, JOB_CLAIMED, JOB_RUNNING};
    guint changed = 0;

    for (guint i = 0; i < G_N_ELEMENTS(watched); i++) {
        g_autoptr(GPtrArray) jobs = job_list_in_state(model, watched[i], error);

        if (!jobs)
            return FALSE;
        for (guint k = 0; k < jobs->len; k++) {
            /* One that ended may have ended others with its build. */
            const Job *listed = jobs->pdata[k];
            g_autoptr(Job) job = job_get(model, listed->id, error);

            if (!job || (job->state == watched[i] && !expire_one(model, job, grace, &changed, error)))
                return FALSE;
        }
    }
    if (ret_changed)
        *ret_changed = changed;
    return TRUE;
}
