/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the processors and disks of a machine do, looked at several times a second. Private to this room. */

#include <glib.h>

/* What a processor has done since the machine started, in the kernel's ticks. */
typedef struct {
    guint64 programs, kernel, waiting, idle;
} CoreTimes;

typedef struct {
    gint64 at;                         /* microseconds, as g_get_monotonic_time() */
    guint64 bytes_read, bytes_written; /* of disks, since the machine started */
    CoreTimes *cores;                  /* MachineLog.n_cores of them */
} MachineSample;

typedef struct {
    guint n_cores;
    GPtrArray *samples; /* of MachineSample, in the order of time */
} MachineLog;

typedef struct MachineWatch MachineWatch;

/* Begins to look, in a thread. NULL where the kernel does not say. */
MachineWatch *machine_watch_new(void);

/* Looks once more, and no longer. The log is owned by WATCH. */
const MachineLog *machine_watch_stop(MachineWatch *watch);

void machine_watch_free(MachineWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MachineWatch, machine_watch_free)
