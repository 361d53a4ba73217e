/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When a release reaches how many devices: "5@0h,25@24h,100@72h" is 5 percent at once, 25 after a day, all after three. */

#include <glib.h>

typedef struct {
    guint percent;
    gint64 after; /* milliseconds since the release began */
} ScheduleStep;

/* Reads TEXT: 1 to 16 steps PERCENT@NUMBER with m, h or d behind it; the first at once, each later and larger than the one
 * before, the last of them 100. An array of ScheduleStep; MODEL_ERROR_INVALID otherwise. */
GArray *schedule_parse(const char *text, GError **error);

/* How many percent have it ELAPSED milliseconds after its beginning. A clock that went back gives the first. */
guint schedule_percent(const GArray *steps, gint64 elapsed);

/* When PERCENT is reached, in milliseconds after the beginning: that of the last step that is not larger. */
gint64 schedule_after(const GArray *steps, guint percent);
