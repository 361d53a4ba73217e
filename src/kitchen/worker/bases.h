/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bases of the job: what other projects published, and the image starts from. */

#include "kitchen/worker/job.h"

/* Fetches them. They lie in the same place each time, so that only their content makes inputs differ. */
gboolean bases_fetch(WorkerJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Tells the builder of them. */
void bases_add_arguments(const WorkerJob *job, GPtrArray *arguments);
