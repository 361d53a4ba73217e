/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What happens, as data. */

#include <glib.h>

typedef enum {
    EVENT_ERROR,   /* TEXT says what went wrong; the work failed */
    EVENT_WARNING, /* TEXT */
    EVENT_INFO,    /* TEXT */
    EVENT_DEBUG,   /* TEXT; only with TASK_DEBUG, as all others with that remark */
    /* TEXT is a line that PROGRAM of a recipe printed for its author. */
    EVENT_PROGRAM_LINE,
    /* TEXT is a command as a shell reads it, about to run; only with TASK_DEBUG. */
    EVENT_COMMAND,
    /* STEP, IMAGE and TEXT stand in all events of steps. */
    EVENT_STEP_BEGIN,
    EVENT_STEP_UPDATE,    /* REMARK: what the step is at */
    EVENT_STEP_PROGRESS,  /* FRACTION, BYTES */
    EVENT_STEP_DONE,      /* DURATION; REMARK */
    EVENT_STEP_ABANDONED, /* DURATION; the step did not succeed */
    /* A file or directory is in its final place: IMAGE, PATH, of a file BYTES, and DIGEST where it is known. */
    EVENT_ARTIFACT,
    /* A build has succeeded: PATH of the main output, BYTES of its content, USED on the disk, DURATION of all. */
    EVENT_RESULT,
    /* Somebody else writes to the terminal from now on, and no longer. */
    EVENT_TERMINAL_TAKEN,
    EVENT_TERMINAL_RETURNED,
    /* A program has run: TEXT, shortened; DURATION, CPU, BYTES_READ, BYTES_WRITTEN, with all that it started. */
    EVENT_PROGRAM_ENDED,
} EventType;

/* Strings may be NULL, and are valid as long as the call that hands the event over. They are without secrets. */
typedef struct {
    EventType type;
    gint64 time;  /* g_get_monotonic_time() */
    guint64 step; /* counted from 1 in each task */
    const char *image;
    const char *text;
    const char *remark;
    const char *program;
    const char *path;
    const char *digest; /* SHA-256 in hexadecimal */
    double fraction;    /* 0 to 1; below 0: unknown */
    guint64 bytes;      /* 0: unknown, but for EVENT_RESULT */
    guint64 used;
    gint64 duration; /* in microseconds */
    gint64 cpu;      /* likewise, of all processors */
    guint64 bytes_read, bytes_written; /* of disks */
    /* The same has been said before: for who watches, not for a log. */
    gboolean again;
} Event;
