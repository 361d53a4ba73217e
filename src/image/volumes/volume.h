/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every kind of file system gets to know about the volume that it makes. */

#include <gio/gio.h>

#include "image/volumes/content.h"
#include "base/uuid.h"

/* The value of security.selinux of PATH in the tree of the image; RET is NULL for none, else owned by the caller. */
typedef gboolean (*VolumeLabel)(const char *path, mode_t mode, GBytes **ret, gpointer data, GError **error);

typedef struct {
    const Content *content;
    Uuid uuid;              /* of the file system */
    const char *label;      /* of the partition; file systems cut it as they need */
    guint sector_size;      /* of the file system: that of the disk, or FileSystemSectorSize= */
    GHashTable *attributes; /* extended attributes of the root directory: name to GBytes; may be NULL */
    gint64 epoch;           /* SOURCE_DATE_EPOCH, -1: not given */
    const char *work;       /* an empty directory for temporary files */
    const char *tools_tree; /* or NULL */
    VolumeLabel label_of;   /* SELinux labels, or NULL: files keep what they have; see labels.h */
    gpointer label_data;
} Volume;

/* The time of what has no time of its own: the epoch, or 1980-01-01, the oldest that every format can hold.
 */
gint64 volume_time(const Volume *volume);
