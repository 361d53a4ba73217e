/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The layer with BuildPackages=, in which build scripts work. */

#include "pipeline/state/image-build.h"

/* Makes the layer, or takes it from the cache. */
gboolean step_build_overlay(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
