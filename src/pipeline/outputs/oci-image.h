/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Format=oci: the tree as the one layer of an OCI image. */

#include "pipeline/state/image-build.h"

/* Writes the tree of IMAGE to the directory PATH. */
gboolean outputs_write_oci(ImageBuild *image, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
