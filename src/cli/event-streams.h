/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Events for whoever started the program: "--json build", --events-fd= and --timeline=. */

#include "cli/arguments/arguments.h"
#include "ui/json-lines.h"
#include "ui/timeline.h"

/* One task's streams; all NULL: none. */
typedef struct {
    JsonLines *output;     /* standard output, as it was */
    JsonLines *descriptor; /* of --events-fd= */
    Timeline *timeline;    /* of --timeline= */
    char *title;           /* of that; owned */
} EventStreams;

/* Makes the streams that ARGUMENTS ask for listen to the task of this thread. From then on standard output is where
 * standard error is for all others if a stream uses it, and people hear of nothing but errors where it replaces what
 * they would read. Before the first child is started: none of them inherits a descriptor. */
gboolean event_streams_begin(
        EventStreams *streams, const Arguments *arguments, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends the streams: the program is about to exit with EXIT_STATUS. FALSE with ERROR set when one could not be written. */
gboolean event_streams_end(EventStreams *streams, int exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
