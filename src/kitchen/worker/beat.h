/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A thread that tells the service that the worker lives, sends what the log and the events have grown by, and hears whether
 * the job was cancelled (WorkerJob.stop). */

#include "kitchen/worker/job.h"

typedef struct Beat Beat;

Beat *beat_start(WorkerJob *job);
/* Sends what is left, and ends. */
void beat_stop(Beat *beat);
