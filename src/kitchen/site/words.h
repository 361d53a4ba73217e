/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Times, sizes and states in words. Results are owned by the caller. Times are milliseconds. */

#include <glib.h>

/* "3 min ago"; "-" for 0. */
char *words_ago(gint64 time, gint64 now);

/* "4 min 12 s". */
char *words_duration(gint64 milliseconds);

/* "12.3 MB". */
char *words_size(gint64 bytes);

/* "2026-11-29T02:00:00Z". */
char *words_time(gint64 time);

/* The first 12 characters of a commit; "" for NULL. */
char *words_commit(const char *commit);

/* "good", "bad", "busy", "idle": how a state of a build or a job looks. */
const char *words_tone(const char *state);
