/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the reader of FAT file systems and its audit share. */

#include "base/little-endian.h"
#include "format/fat/fat-reader.h"

#define ENTRY_SIZE 32
#define ATTRIBUTE_VOLUME 0x08
#define ATTRIBUTE_DIRECTORY 0x10
#define ATTRIBUTE_LONG_NAME 0x0f
#define LONG_NAME_CHARACTERS 13
#define LONG_NAME_PARTS_MAX 20

struct FatReader {
    int fd;
    guint64 offset;
    guint64 size;

    int bits;
    guint32 sector_size;
    guint32 cluster_size;
    guint32 n_clusters; /* numbered from 2 */
    guint64 total_size; /* bytes of the file system; SIZE is what there is room for */
    guint64 data_offset;
    guint64 root_offset; /* FAT12 and FAT16: the root directory is outside of the clusters */
    guint32 root_size;
    guint32 root_cluster; /* FAT32 */
    guint32 n_tables;
    guint64 table_offset, table_size; /* of one allocation table */
    guint8 *fat;
    gsize fat_size;
};

/* A long name while its parts are collected; they come last part first. */
typedef struct {
    gunichar2 characters[LONG_NAME_PARTS_MAX * LONG_NAME_CHARACTERS + 1];
    guint expected; /* number of the part that comes next, 0: complete */
    guint8 checksum;
    gboolean valid;
} FatLongName;

/* Reads SIZE bytes from byte OFFSET of the file system on. */
gboolean fat_read_at(FatReader *reader, guint64 offset, void *buffer, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean fat_is_cluster(const FatReader *reader, guint32 cluster);

/* The cluster after CLUSTER; a number that is none ends the chain. */
guint32 fat_next_cluster(const FatReader *reader, guint32 cluster);

guint8 fat_short_name_checksum(const guint8 *name);
void fat_long_name_add(FatLongName *name, const guint8 *entry);

/* The name of a directory entry: the long one where it fits the entry; owned by the caller. */
char *fat_entry_name(const guint8 *entry, const FatLongName *long_name);
