/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs the builder (the program particleos), and what else a worker needs. Its words go to the log of the job; it gets no
 * descriptor, variable or argument that leads to the service. */

#include "kitchen/worker/job.h"

/* Arguments of every call of the builder for this job, without verb: an array of strings without end. */
GPtrArray *builder_arguments(const WorkerJob *job);

/* COMMON and MORE (NULL-terminated): an array of strings that ends with NULL. */
GPtrArray *builder_arguments_with(GPtrArray *common, const char *const *more);

/* Runs ARGUMENTS (NULL-terminated) to their end, or until the job is stopped (FALSE with HTTP_ERROR_CANCELLED)
 * or its output takes more of the disk than it may (HTTP_ERROR_LIMIT). Its exit
 * status is a result, 128 + signal when it was killed. OUT (may be -1: the log) receives its standard output, EVENTS (may
 * be -1) what it writes to descriptor 3. */
gboolean builder_run(WorkerJob *job, const char *const *arguments, int out, int events, int *ret_status,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The last lines of the log from byte OFFSET on, for people; owned by the caller. */
char *builder_last_lines(const WorkerJob *job, gint64 offset);
/* Bytes of the log so far. */
gint64 builder_log_size(const WorkerJob *job);
