/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Disks, extensions and portable services: volumes first, because the kernel command line names the root hash of
 * one of them, the ESP and the partition table when there is a kernel image. */

#include "pipeline/state/image-build.h"

/* Disk: what is wrong with the recipe's partition definitions by themselves, before there is a tree. Those that are
 * not there yet, because a script makes them, are judged later. */
gboolean disk_image_check_definitions(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void disk_image_clear_options(ImageBuild *image);

/* Disk: all volumes but the ESP, before the kernel command line is known. */
gboolean step_disk_volumes(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Disk: the ESP, partition table, split artifacts. */
gboolean step_disk_finish(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
