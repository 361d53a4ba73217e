/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How full a FAT32 file system is. */

#include <glib.h>

typedef struct {
    guint64 size;    /* of the whole file system, in bytes */
    guint64 free;    /* what new files can take */
    guint64 cluster; /* files take multiples of it */
} FatRoom;

/* Reads what the file system at OFFSET of FD notes about itself. FALSE: it notes nothing. */
gboolean fat_room_read(int fd, guint64 offset, FatRoom *ret);
