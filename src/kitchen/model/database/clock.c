/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/database/clock.h"

/* One part of so many is what it is faster or slower to follow. */
#define SLEW 10

gint64 steady_clock_read(SteadyClock *clock, gint64 wall, gint64 alive) {
    gint64 passed = MAX(alive - clock->alive, 0);
    gint64 behind = 0;

    if (clock->time == 0) {
        *clock = (SteadyClock){.time = wall, .alive = alive};
        return wall;
    }
    /* Less than what is followed in whole milliseconds waits for the next call. */
    if (passed < SLEW)
        return clock->time + passed;
    clock->time += passed;
    clock->alive = alive;
    behind = wall - clock->time;
    if (ABS(behind) <= STEADY_JUMP)
        clock->time += CLAMP(behind, -passed / SLEW, passed / SLEW);
    return clock->time;
}

gint64 steady_clock_jump(const SteadyClock *clock, gint64 wall) {
    gint64 ahead = clock->time != 0 ? wall - clock->time : 0;

    return ABS(ahead) > STEADY_JUMP ? ahead : 0;
}
