/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel, and the parts of the boot chain, that the image's packages brought. */

#include "pipeline/state/image-build.h"

/* Copies kernels from /boot to /usr/lib/modules/VERSION/vmlinuz, where the rest of the program looks for
 * them. */
gboolean kernel_place_images(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same as a step, for kernels that extra trees or scripts brought. */
gboolean step_place_kernels(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes the kernel modules and firmware that KernelModules=, FirmwareFiles= and their relatives drop, and
 * indexes the rest. */
gboolean step_filter_modules(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Records the installed packages for the manifest, before databases are removed. */
gboolean step_record_packages(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The kernel modules initrd for the kernel VERSION: a compressed archive, from the cache when nothing in it
 * changed. */
GBytes *kernel_modules_initrd(ImageBuild *image, const char *version, GError **error);
