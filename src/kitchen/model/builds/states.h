/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* States of builds and jobs, and which one may follow which: the one table of them. The words are those in
 * the database and in the API. */

#include <glib.h>

typedef enum {
    BUILD_WAITING,    /* for its turn, a slot, room on the disk */
    BUILD_RUNNING,    /* a worker has one of its jobs */
    BUILD_CHECKING,   /* all jobs are done; the artifacts are judged */
    BUILD_APPROVAL,   /* waits for a person */
    BUILD_PUBLISHING, /* sets are made, signed and switched to */
    BUILD_PUBLISHED,
    BUILD_SKIPPED,    /* nothing had changed */
    BUILD_SUPERSEDED, /* by a later build, before it began */
    BUILD_CANCELLED,
    BUILD_FAILED,
    BUILD_N_STATES,
} BuildState;

typedef enum {
    FAILURE_NONE,
    FAILURE_RECIPE,
    FAILURE_PACKAGES,
    FAILURE_SCRIPT,
    FAILURE_REFUSED, /* by the signer */
    FAILURE_TIMEOUT,
    FAILURE_LOST,
    FAILURE_CHECK,
    FAILURE_PUBLISH,
    FAILURE_N_KINDS,
} FailureKind;

typedef enum {
    JOB_QUEUED,
    JOB_SUBMITTED, /* the executor has it */
    JOB_CLAIMED,   /* a worker has it */
    JOB_RUNNING,   /* its inputs are known and it is built */
    JOB_UPLOADED,  /* the worker has finished; its artifacts are compared with the store */
    JOB_DONE,
    JOB_FAILED,
    JOB_LOST,
    JOB_CANCELLED,
    JOB_N_STATES,
} JobState;

/* "waiting", "running" …; the state of that word, or -1. */
const char *build_state_to_string(BuildState state);
int build_state_from_string(const char *word);
const char *job_state_to_string(JobState state);
int job_state_from_string(const char *word);
/* NULL for FAILURE_NONE; -1 for an unknown word, FAILURE_NONE for NULL. */
const char *failure_to_string(FailureKind kind);
int failure_from_string(const char *word);

/* Whether TO may follow FROM. */
gboolean build_state_may_follow(BuildState from, BuildState to);
gboolean job_state_may_follow(JobState from, JobState to);

/* Whether nothing follows. */
gboolean build_state_is_final(BuildState state);
gboolean job_state_is_final(JobState state);

/* Whether an executor or worker has the job. */
gboolean job_state_is_active(JobState state);
