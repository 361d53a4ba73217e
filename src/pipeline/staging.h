/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where finished outputs wait until every image of the recipe has succeeded. */

#include "pipeline/state/image-build.h"

/* Directories of all images, on the file systems of their output directories, so that results are renamed into
 * place. They go away with STAGINGS. */
GPtrArray *stagings_new(void);
gboolean staging_open(Build *build, GPtrArray *stagings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Moves what all images made into their output directories, one build after the other. */
gboolean staging_publish(Build *build, GError **error) G_GNUC_WARN_UNUSED_RESULT;
