/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Formats that are a PE image with the tree as initrd, or hold one. */

#include "pipeline/state/image-build.h"

gboolean wants_tree_uki(const ImageBuild *image);

/* Step: Format=uki and Format=addon write the output; Format=esp puts the UKI where the ESP will have it. */
gboolean step_tree_uki(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
