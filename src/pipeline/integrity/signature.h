/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sign=: an OpenPGP signature of the checksums. */

#include "pipeline/state/image-build.h"

/* Whether what Sign= needs is there, before any work is spent. */
/* Sign=: an OpenPGP signature of the checksums. */
gboolean signature_check(const ImageConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* After the checksums. */
gboolean wants_signature(const ImageBuild *image);
gboolean step_signature(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
