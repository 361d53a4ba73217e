/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Output.SHA256SUMS over everything in staging. */

#include "pipeline/state/image-build.h"

/* Checksum=. Before the signature. */
gboolean step_checksums(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
