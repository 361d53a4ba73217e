/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the format of an output cannot express, found before the output is written. */

#include "pipeline/state/image-build.h"

/* Whether the format has limits that a tree can be over. */
gboolean wants_format_limits(const ImageBuild *image);

/* An error that names the file for what the format cannot hold: names that mean something else in a layer of an OCI
 * image, files that are too large for an archive of cpio (which initrds are). A warning for extended attributes
 * that such an archive loses, and for an extension in which nothing is left of what the recipe put into the tree. */
gboolean step_format_limits(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
