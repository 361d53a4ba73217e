/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writing a disk image to a device. */

#include <glib.h>

typedef struct {
    char *path;        /* of the device node */
    char *name;        /* of the kernel: "sdb" */
    char *model;       /* vendor and model, or NULL */
    guint64 size;      /* bytes */
    guint sector_size; /* logical, bytes */
    gboolean removable;
} BurnTarget;

/* Looks at the device PATH. Fails unless it is a whole block device that nobody uses: not mounted, no swap,
 * not part of a RAID, LVM or encrypted volume, and the same for its partitions; the error says who uses it.
 */
BurnTarget *burn_target_open(const char *path, GError **error);
void burn_target_free(BurnTarget *target);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BurnTarget, burn_target_free)

/* Writes the disk image IMAGE (PLAIN: not compressed) to TARGET, whose content is lost; reads it back from
 * the device and compares; moves the backup partition table to the device's end. SECTOR_SIZE is that of the
 * image's partition table. An interrupted write leaves a device without a partition table. Shows progress.
 */
gboolean burn_write(
        const BurnTarget *target, const char *image, gboolean plain, guint sector_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
