/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ManifestFormat=: which packages are in the image, and what changed in them. */

#include "pipeline/state/image-build.h"

/* What the manifests say about the tree, read before documentation may be removed from it. */
gboolean wants_manifest(const ImageBuild *image);
gboolean step_record_content(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes the manifests that the recipe wants. */
gboolean step_manifest(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
