/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether the boot partitions have room for updates. */

#include "pipeline/state/image-build.h"

/* A warning that names the partition definition when the image takes updates that lay a second kernel image beside the
 * first (a transfer of systemd-sysupdate into EFI/Linux, or two partitions for /usr) and there is no room for it. To be
 * called when the boot partitions are written. */
void boot_room_check(ImageBuild *image);
