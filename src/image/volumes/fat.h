/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* FAT file systems for ESP and XBOOTLDR, through mkfs.vfat and mtools. */

#include "image/volumes/volume.h"

/* Makes a FAT32 file system of SIZE bytes in the file IMAGE (exists, empty) with the content of VOLUME.
 * Files go in sorted by path, with times in UTC; one that nobody may write (mode) gets the attribute for
 * that, as Linux shows it; what FAT cannot hold (symlinks, devices) is skipped with a warning.
 */
gboolean fat_write(const Volume *volume, const char *image, guint64 size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
