/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What happened, in order: history, live pages and notifications read this. */

#include "kitchen/model/database/model.h"

typedef struct {
    gint64 id;
    gint64 time;
    gint64 project_id, build_id, job_id, user_id; /* 0: none */
    char *kind;   /* "build.published", "job.lost", "release.published", "poll.failed" … */
    char *detail; /* may be NULL */
} Event;

void event_free(Event *event);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Event, event_free)

/* Adds EVENT, whose ID and time are set here. Part of the caller's transaction. */
gboolean event_add(Model *model, const Event *event, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An array of Event: at most LIMIT after ID, oldest first. PROJECT or BUILD 0: of all. */
GPtrArray *event_list(Model *model, gint64 after, gint64 project, gint64 build, guint limit, GError **error);
/* The newest ID; 0 when there is none. */
gint64 event_last(Model *model, GError **error);
