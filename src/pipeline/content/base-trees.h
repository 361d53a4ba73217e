/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* BaseTrees= and Overlay=: images that start from other trees, and images that only hold what they add. */

#include "pipeline/state/image-build.h"

/* Makes the tree of IMAGE: an overlay over its base trees, of which a later one covers an earlier one. Waits
 * for base trees that are outputs of other images. The base trees themselves never change. */
gboolean base_trees_mount(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Overlay=yes: takes the base trees away, so that the tree holds what was added to them. A path that a base
 * tree has, too, is left out with its change, as an extension cannot change what it extends. */
gboolean wants_overlay_difference(const ImageBuild *image);
gboolean step_overlay_difference(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
