/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Volumes that we leave to the file system's own mkfs. */

#include "image/volumes/volume.h"

/* Each makes a file system in the file IMAGE (exists, empty). SIZE: bytes, 0: as much as the content needs,
 * the result is in RET_SIZE. */

/* ext4 through mke2fs -d: fixed UUID, hash seed and times. */
gboolean mkfs_ext4(const Volume *volume, const char *image, guint64 size, guint64 *ret_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* btrfs through mkfs.btrfs --rootdir; Subvolumes= needs btrfs-progs 6.12. COMPRESSION may be NULL, LEVEL -1.
 */
gboolean mkfs_btrfs(const Volume *volume, const char *image, guint64 size, gboolean shrink,
        const char *compression, int level, guint64 *ret_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* squashfs through mksquashfs. COMPRESSION NULL: gzip, LEVEL -1: that of the compressor. */
gboolean mkfs_squashfs(const Volume *volume, const char *image, const char *compression, int level,
        guint64 *ret_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean mkfs_swap(const Volume *volume, const char *image, guint64 size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
