/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The recipe: fetched and unpacked. */

#include "kitchen/worker/job.h"

/* Makes job->recipe. */
gboolean fetch_recipe(WorkerJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;
