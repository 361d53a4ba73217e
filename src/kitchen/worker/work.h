/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a worker does with its job, from the recipe to the artifacts. */

#include "kitchen/worker/result.h"

/* Does it. Everything that goes wrong is a result. */
void work_run(WorkerJob *job, WorkResult *result);

/* Tells the service. */
gboolean work_report(WorkerJob *job, const WorkResult *result, GError **error) G_GNUC_WARN_UNUSED_RESULT;
