/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Partitions as files of their own: PREFIX.SPLITNAME.raw. */

#include <gio/gio.h>

#include "image/plan/partition-plan.h"

/* FALSE for SplitName=-. */
gboolean split_artifact_wanted(const PlannedPartition *partition);

/* Two partitions must not get the same name. */
gboolean split_artifacts_check(const Plan *plan, const Specifiers *specifiers, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the file of a laid out partition from CONTENT (moved; NULL: empty). Returns its path. */
char *split_artifact_make(const PlannedPartition *partition, const Specifiers *specifiers,
        const char *prefix, const char *content, GError **error);
