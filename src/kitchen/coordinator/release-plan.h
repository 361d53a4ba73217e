/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the release of a build consists of: a set for each target in each channel that follows. */

#include "kitchen/model/builds/builds.h"
#include "kitchen/model/results/releases.h"
#include "kitchen/publish/publish.h"

typedef struct ReleasePlan ReleasePlan;

/* Begins the releases of BUILD in the database, and lists their files. BEST_BEFORE: days; 0: for ever. MODEL_ERROR: it cannot
 * be released. */
ReleasePlan *release_plan_new(Model *model, const Build *build, guint best_before, GError **error);
/* The same for RELEASE, which is published, to have its manifests signed anew. */
ReleasePlan *release_plan_again(Model *model, const Release *release, guint best_before, GError **error);

/* Whether what channels offer is good for as long as the plan says. */
gboolean release_plan_is_fresh(const ReleasePlan *plan, Publisher *publisher) G_GNUC_WARN_UNUSED_RESULT;

void release_plan_free(ReleasePlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReleasePlan, release_plan_free)

/* Makes all sets, then switches all channels to them. Touches no database; may run in a thread. Repeating is harmless. */
gboolean release_plan_run(ReleasePlan *plan, Publisher *publisher, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes down what was done, in the caller's transaction. */
gboolean release_plan_note(ReleasePlan *plan, Model *model, GError **error) G_GNUC_WARN_UNUSED_RESULT;
