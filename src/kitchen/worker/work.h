/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a worker does with its job, from the recipe to the artifacts. */

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

/* Does it. Everything that goes wrong is a result. */
void work_run(WorkerJob *job, WorkResult *result);

/* The job ended by ERROR, as FAILURE: for parts of the work. */
void work_fail(WorkerJob *job, WorkResult *result, const char *failure, const GError *error);

/* Tells the service. */
gboolean work_report(WorkerJob *job, const WorkResult *result, GError **error) G_GNUC_WARN_UNUSED_RESULT;
