/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SplitArtifacts= of a disk, but for its partitions; NSpawnSettings=. */

#include "pipeline/state/image-build.h"

/* Writes them into staging. */
gboolean step_split_files(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
