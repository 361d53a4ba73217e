/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether firmware will find what it needs to start the disk that is being made. */

#include "pipeline/state/image-build.h"

/* Whether the recipe wants a disk that firmware starts. Bootloader=none says that something else starts it. */
gboolean wants_boot_check(const ImageBuild *image);

/* Whether the disk has an ESP that firmware can read: known as soon as its definitions are. With Bootable=yes a disk
 * that nothing starts is an error, with Bootable=auto a warning; so it is below. */
gboolean boot_check_partitions(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Looks at what will be on the boot partitions: a boot loader where firmware looks, a kernel that the loader can read.
 * What may only go wrong is a warning: signatures where Secure Boot is wanted, an initrd where the root file system
 * needs one. Runs when loader and kernels are in the tree, before the boot partitions are written. */
gboolean step_boot_check(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
