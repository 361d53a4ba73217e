/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Events for programs: JSON, one object a line, as particleos(1) documents it. */

#include <glib.h>

#include "events/event.h"

/* Of the names and fields. It grows when one of them goes or changes its meaning, not when one is added. */
#define JSON_LINES_VERSION 1

typedef struct JsonLines JsonLines;

/* Begins to write to FD (owned from now on): first that VERB of PROGRAM has begun, at START (as Event.time). */
JsonLines *json_lines_new(int fd, gint64 start, const char *program, const char *verb);

/* An EventListener (events/task.h) whose DATA is the JsonLines. Blocks while nobody reads. */
void json_lines_listen(const Event *event, gpointer data);

/* Writes that all has ended, and how, closes the descriptor and frees LINES. FALSE with ERROR set when something could
 * not be written, then or before. Not while something is reported to it. */
gboolean json_lines_end(JsonLines *lines, int exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
