/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the kernels and the stub of an image cannot do, found out before volumes are written. */

#include "pipeline/state/image-build.h"

/* Bytes of a command line that a kernel for ARCHITECTURE keeps, without its NUL; 0: nobody knows. */
gsize boot_command_line_room(Architecture architecture);

/* Whether there are kernels or a stub to ask. */
gboolean wants_boot_limits(const ImageBuild *image);

/* An error that names the setting when the recipe asks for something that the stub does not know (profiles,
 * automatic device trees), or for a longer command line than the kernel keeps. */
gboolean step_boot_limits(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The version of a kernel of IMAGE that cannot read EROFS with zstd (older than Linux 6.10), or NULL; borrowed. */
const char *boot_kernel_without_zstd(const ImageBuild *image);
