/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the boot loader or the firmware starts: unified kernel images, or boot entries. */

#include "pipeline/state/image-build.h"

/* Puts a signed UKI for each kernel into the tree's /boot (or, without boot loader, one where the firmware
 * looks), or boot entries where UKIs are not wanted; and the split artifacts uki, kernel, initrd, pcrs,
 * kernel-modules-initrd into staging. */
gboolean step_install_kernels(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
