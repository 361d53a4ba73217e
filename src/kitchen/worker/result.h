/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What became of a job. */

#include "kitchen/worker/job.h"

/* How it ended. */
typedef struct {
    const char *state;   /* "done", "failed", "cancelled", or "skipped": the service knows already */
    const char *failure; /* of "failed": the word for it */
    char *detail, *failing_lines;
    JsonArray *artifacts; /* of "done" */
} WorkResult;
void work_result_clear(WorkResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WorkResult, work_result_clear)

/* The job ended by ERROR, as FAILURE. */
void work_fail(WorkerJob *job, WorkResult *result, const char *failure, const GError *error);
