/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A clock that goes on when that of the machine jumps. It follows the machine's by going up to a tenth faster or slower; a difference
 * of more than a day is none that people make on purpose, and is followed by none but a new process. Milliseconds. */

#include <glib.h>

#define STEADY_JUMP G_GINT64_CONSTANT(86400000)

typedef struct {
    gint64 time;  /* what it showed last, since 1970 */
    gint64 alive; /* when that was, since the machine started */
} SteadyClock;

/* The time after ALIVE milliseconds of the machine's life, when the machine's clock shows WALL. Never less than before. The first
 * call, on a zeroed clock, takes WALL. */
gint64 steady_clock_read(SteadyClock *clock, gint64 wall, gint64 alive);

/* How far the machine's clock, which shows WALL, is ahead, negative: behind; 0 while that is no jump. */
gint64 steady_clock_jump(const SteadyClock *clock, gint64 wall);
