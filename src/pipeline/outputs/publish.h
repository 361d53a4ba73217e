/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way of outputs from staging into the output directory. */

#include "pipeline/state/image-build.h"

/* The link called like the output, without extension, that leads to it. */
gboolean step_link(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Renames what is in staging into the output directory and removes outputs of earlier builds that this one
 * did not make. */
gboolean outputs_publish(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes all outputs of CONFIG from DIRECTORY. */
gboolean outputs_remove(const ImageConfig *config, const char *directory, GError **error) G_GNUC_WARN_UNUSED_RESULT;
