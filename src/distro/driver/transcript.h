/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a package manager says: the last lines, in which a script tells what it does, and the reason of a failure. */

#include <glib.h>

typedef struct {
    GQueue recent; /* lines, oldest first; no more than scripts need to say what is wrong */
    GString *reason;
    guint reason_lines;
} Transcript;

void transcript_init(Transcript *transcript);
void transcript_clear(Transcript *transcript);

/* Adds LINE to the recent ones; the oldest goes when there are too many, but for the first FIXED. */
void transcript_remember(Transcript *transcript, const char *line, guint fixed);

/* Forgets the recent lines: what follows is about another package. */
void transcript_forget(Transcript *transcript);

/* Adds LINE to the reason, as it can be shown on a terminal; after sixty lines nothing more. */
void transcript_add_reason(Transcript *transcript, const char *line);

/* Moves the recent lines to the reason. */
void transcript_add_recent(Transcript *transcript);
