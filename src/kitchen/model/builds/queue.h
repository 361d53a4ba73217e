/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whose turn it is: priority first, then the namespace with the fewest jobs at work, then the one that was
 * served longest ago, then age. A project has one build at a time at work, so that its versions are
 * published in their order. */

#include "kitchen/model/database/model.h"

/* What decides besides the database. */
typedef struct {
    guint slots;         /* jobs at work at once */
    const char *stopped; /* why nothing starts, in words ("4 % of the disk are free …"); NULL: it may */
} QueueState;

/* The job that starts now, 0: none. ERROR is set when it fails. */
gint64 queue_next(Model *model, const QueueState *state, GError **error);

/* Writes why each waiting build and each queued job waits, in words. */
gboolean queue_explain(Model *model, const QueueState *state, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Jobs that an executor or worker has. -1 with ERROR set. */
gint64 queue_count_active(Model *model, GError **error);

/* An array of QueueEntry: queued jobs in the order in which they would start, for pages. */
typedef struct {
    gint64 job_id, build_id, build_number, priority, created;
    char *namespace_name, *project_name, *target_name;
    char *wait_reason;       /* may be NULL */
    gint64 blocker;          /* number of the build of the project that is at work; 0: none */
    char *build_wait_reason; /* may be NULL */
} QueueEntry;
void queue_entry_free(QueueEntry *entry);
GPtrArray *queue_list(Model *model, GError **error);
