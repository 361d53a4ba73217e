/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Two outputs of one name: the later would replace the earlier. What the recipe says is compared before anything
 * is built, what turns out is found when it is written, or when all images are ready. */

#include "pipeline/state/image-build.h"

/* An error when two outputs of the images of RECIPE have one name in one directory. */
gboolean outputs_check_names(const Recipe *recipe, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An error when the output NAME of IMAGE is there already, made by somebody else. Before each output. */
gboolean outputs_check_free(const ImageBuild *image, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same as outputs_check_names(), for what was made. Before anything is published. */
gboolean outputs_check_made(const Build *build, GError **error) G_GNUC_WARN_UNUSED_RESULT;
