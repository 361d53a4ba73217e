/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* CompressOutput= and CompressLevel=. */

#include "format/compress/compressor.h"
#include "pipeline/state/image-build.h"

/* A level that the compression does not have is an error. */
gboolean compress_check(const ImageConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Step: files that were written as they are and that CompressOutput= wants compressed: disks, and the
 * partitions that SplitArtifacts= made of them. */
gboolean step_compress(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
