/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is to be done in channels so that devices find there what they shall: sets that are made or signed anew, and links. */

#include "kitchen/model/builds/builds.h"
#include "kitchen/model/results/releases.h"
#include "kitchen/publish/publish.h"

typedef struct ReleasePlan ReleasePlan;

/* BEST_BEFORE: days that manifests are good for; 0: for ever. MODEL_ERROR: it cannot be released. */

/* Begins the releases of BUILD in the database, to each channel that follows. */
ReleasePlan *release_plan_new(Model *model, const Build *build, guint best_before, GError **error);
/* RELEASE, which somebody wished. */
ReleasePlan *release_plan_one(Model *model, const Release *release, guint best_before, GError **error);
/* All that devices get from a channel, signed anew. */
ReleasePlan *release_plan_again(Model *model, gint64 channel, guint best_before, GError **error);
/* The links of a channel alone. */
ReleasePlan *release_plan_switch(Model *model, gint64 channel, GError **error);

/* Whether what the plan would sign is good for as long as it says. */
gboolean release_plan_is_fresh(const ReleasePlan *plan, Publisher *publisher) G_GNUC_WARN_UNUSED_RESULT;

void release_plan_free(ReleasePlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReleasePlan, release_plan_free)

/* Makes all sets, then switches all channels to them. A release that lacks approvals is left out. Touches no database; may run
 * in a thread. Repeating is harmless. */
gboolean release_plan_run(ReleasePlan *plan, Publisher *publisher, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes down what was done, in the caller's transaction. */
gboolean release_plan_note(ReleasePlan *plan, Model *model, GError **error) G_GNUC_WARN_UNUSED_RESULT;
