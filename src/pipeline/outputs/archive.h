/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Formats that are the tree itself, or an archive of it. */

#include "pipeline/state/image-build.h"

/* SplitArtifacts=tar, unless that is the format itself. */
gboolean wants_split_tar(const ImageBuild *image);
gboolean step_split_tar(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Comes last of all steps that read the tree. */
gboolean step_archive(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
