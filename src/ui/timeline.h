/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A task as a picture: what happened when, and what the machine did meanwhile. An SVG that explains itself: no script, no
 * font, no other file. */

#include <glib.h>

#include "events/event.h"

typedef struct Timeline Timeline;

/* Begins to record what the task does that started at START (as Event.time), for the picture at PATH. NULL with ERROR set
 * where no file could be made there. */
Timeline *timeline_new(const char *path, gint64 start, GError **error);

/* An EventListener (events/task.h) whose DATA is the Timeline. */
void timeline_listen(const Event *event, gpointer data);

/* Writes the picture as a whole, in place of what was at its path, and frees TIMELINE. TITLE says what it shows. Not while
 * something is reported to it. */
gboolean timeline_end(Timeline *timeline, const char *title, GError **error) G_GNUC_WARN_UNUSED_RESULT;
