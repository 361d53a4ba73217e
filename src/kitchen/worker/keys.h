/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The public halves of the project's keys, as files for the builder. */

#include "kitchen/worker/job.h"

/* Writes those that the description has. */
gboolean keys_write(WorkerJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds the options of the builder that name them. */
void keys_add_arguments(const WorkerJob *job, GPtrArray *arguments);
/* And those of its verb inspect. */
void keys_add_inspect_arguments(const WorkerJob *job, GPtrArray *arguments);
