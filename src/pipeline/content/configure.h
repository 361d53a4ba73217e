/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that the recipe's settings put into the tree. */

#include "pipeline/state/image-build.h"

gboolean step_configure(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
