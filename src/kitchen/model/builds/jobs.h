/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs: attempts at a target of a build. */

#include "kitchen/model/builds/states.h"
#include "kitchen/model/database/model.h"

/* A job whose worker is silent for so long is lost, and tried again, at most so often. */
#define JOB_SILENCE_MAX (30 * 1000)
#define JOB_ATTEMPTS_MAX 3
/* Heartbeats are written down at most so often. */
#define JOB_HEARTBEAT_STEP (3 * 1000)
/* A submitted job that no worker claims for so long is lost. */
#define JOB_CLAIM_MAX (120 * 1000)

typedef struct {
    gint64 id;
    gint64 build_id;
    gint64 target_id;
    gint64 attempt; /* from 1 */
    JobState state;
    FailureKind failure;
    char *detail;        /* may be NULL, and so may the following texts */
    char *failing_lines; /* of the log, for people */
    char *wait_reason;
    char *executor_id; /* what the executor calls it */
    char *worker;      /* who has it, for people */
    gint64 token_expires;
    gint64 heartbeat;                  /* when the worker was heard; 0: never */
    gint64 log_size;                   /* bytes */
    char *step;                        /* what it does now */
    gboolean cancel;                   /* its worker is asked to stop */
    gboolean skipped;                  /* done without a build: its inputs had not changed */
    gboolean force;                    /* must not skip */
    gint64 created, started, finished; /* 0: not yet */
} Job;

void job_free(Job *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Job, job_free)

/* What a transition changes besides the state; NULL and 0 leave as it is. */
typedef struct {
    FailureKind failure;
    const char *detail;
    const char *failing_lines;
    gboolean skipped;
    gint64 same_as; /* the build that failed with the same inputs */
    gint64 user_id;
} JobChange;

/* Takes job ID to state TO, with an event, and the build along with it (it runs when the first job is
 * claimed, is checked when all are done, fails with one that is required; a lost job gets a successor), all
 * in one transaction; MODEL_ERROR_STATE where the table does not allow that. CHANGE may be NULL. Every
 * change of a job's state goes through here. */
gboolean job_transition(
        Model *model, gint64 id, JobState to, const JobChange *change, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Gives the job a new ticket, owned by the caller, and takes it to submitted. Tickets and tokens that it had
 * are void. */
char *job_submit(Model *model, gint64 id, GError **error);
/* What the executor calls the job; no event. */
gboolean job_set_executor(Model *model, gint64 id, const char *executor_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Trades TICKET for TOKEN, which the worker WORKER made: from now on it is the job's. The same worker may
 * ask again with the same token (the answer may have been lost); nobody else can: MODEL_ERROR_DENIED. */
Job *job_claim(Model *model, const char *ticket, const char *token, const char *worker, GError **error);

/* The job of TOKEN, in whatever state, unless the token has expired or another one took its place:
 * MODEL_ERROR_DENIED. */
Job *job_authenticate(Model *model, const char *token, GError **error);

/* The worker lives (written down every JOB_HEARTBEAT_STEP, or when STEP is another): log bytes so far, and its step (NULL: as before). No event. */
gboolean job_heartbeat(
        Model *model, gint64 id, gint64 log_size, const char *step, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends what is silent (lost) or too slow (timeout). RET_CHANGED (may be NULL): how many. GRACE milliseconds
 * are added to JOB_SILENCE_MAX, after a start of the service. */
gboolean jobs_expire(Model *model, gint64 grace, guint *ret_changed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The log is complete. No event. */
gboolean job_set_log_size(Model *model, gint64 id, gint64 size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

Job *job_get(Model *model, gint64 id, GError **error);
/* Arrays of Job: those of a build, by target and attempt; all in a state, oldest first. */
GPtrArray *job_list(Model *model, gint64 build, GError **error);
GPtrArray *job_list_in_state(Model *model, JobState state, GError **error);
/* Those that ended since SINCE, whose workers may still be there. */
GPtrArray *job_list_ended(Model *model, gint64 since, GError **error);

gboolean job_set_wait_reason(Model *model, gint64 id, const char *reason, GError **error) G_GNUC_WARN_UNUSED_RESULT;
