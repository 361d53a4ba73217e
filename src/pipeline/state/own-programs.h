/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Programs of the image itself are run inside it, so that their version always matches its content. */

#include "pipeline/state/image-build.h"

/* Whether the image has the program PATH. */
gboolean own_program_exists(const ImageBuild *image, const char *path);

/* A sandbox whose root is the image. */
Sandbox *own_program_sandbox(const ImageBuild *image);

/* Runs ARGV in such a sandbox. */
gboolean own_program_run(ImageBuild *image, const char *const *argv, GError **error) G_GNUC_WARN_UNUSED_RESULT;
