/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How boot entries are called and which command line they have. */

#include "pipeline/state/image-build.h"

/* What the names of this image's entries begin with, as kernel-install(8) finds it: the entry-token file,
 * the machine ID, IMAGE_ID=, ID=. Owned by the caller. */
char *boot_entry_token(ImageBuild *image);

/* Where the UKI of kernel VERSION goes, as a path in the tree: UnifiedKernelImageFormat= with &e, &k, &h
 * expanded, or without boot loader where the firmware (or shim) looks. An error when that makes no file
 * name. Owned by the caller. */
char *boot_uki_path(ImageBuild *image, const char *version, GError **error);

/* The kernel command line: the tree's kernel/cmdline file, the root hash, KernelCommandLine=;
 * "root=PARTUUID" and "mount.usr=PARTUUID" get the UUID of the disk's partition. Owned by the caller. */
char *boot_command_line(ImageBuild *image);
