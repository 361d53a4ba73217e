/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a timeline has recorded. Times are microseconds since its task began. Private to this room. */

#include <glib.h>

#include "ui/timeline-machine.h"

/* From AT on, a step was at TEXT. */
typedef struct {
    gint64 at;
    char *text;
} TimelinePart;

typedef struct {
    guint64 id;
    gint64 start, end; /* END: -1 while it runs */
    char *name;        /* with its image */
    char *remark;      /* NULL: none */
    gboolean failed;
    GArray *parts; /* of TimelinePart */
} TimelineStep;

typedef struct {
    gint64 start, end;
    char *command;
    gint64 cpu;
    guint64 bytes_read, bytes_written;
} TimelineProgram;

typedef struct {
    GPtrArray *steps;    /* of TimelineStep, in the order of their beginning */
    GPtrArray *programs; /* of TimelineProgram, in the order of their end */
    const MachineLog *machine; /* borrowed; NULL: nobody looked */
    gint64 end;
} TimelineRecord;

/* The picture. Owned by the caller. */
char *timeline_draw(const TimelineRecord *record, const char *title);
