/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/volumes/fat-room.h"

#include <string.h>

#include "base/io.h"
#include "base/little-endian.h"

/* Microsoft, "FAT: General Overview of On-Disk Format": fields of the boot sector, and of the sector FSInfo. */
#define BYTES_PER_SECTOR 11
#define SECTORS_PER_CLUSTER 13
#define TOTAL_SECTORS 32
#define INFO_SECTOR 48
#define INFO_FREE_CLUSTERS 488
#define INFO_SIGNATURE_AT 484

gboolean fat_room_read(int fd, guint64 offset, FatRoom *ret) {
    guint8 boot[512], info[512];

    if (!pread_all(fd, boot, sizeof boot, offset, NULL))
        return FALSE;
    guint64 sector = read_le16(boot + BYTES_PER_SECTOR);
    guint64 at = offset + read_le16(boot + INFO_SECTOR) * sector;
    if (!pread_all(fd, info, sizeof info, at, NULL) || memcmp(info, "RRaA", 4) != 0 ||
            memcmp(info + INFO_SIGNATURE_AT, "rrAa", 4) != 0)
        return FALSE;
    guint32 clusters = read_le32(info + INFO_FREE_CLUSTERS);
    *ret = (FatRoom){
            .size = read_le32(boot + TOTAL_SECTORS) * sector,
            .cluster = boot[SECTORS_PER_CLUSTER] * sector,
    };
    ret->free = clusters * ret->cluster;
    return clusters != G_MAXUINT32 && ret->free <= ret->size;
}
