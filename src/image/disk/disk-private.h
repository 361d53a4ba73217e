/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What disk.c, which puts a disk together, shares with disk-partition.c, which fills its partitions. */

#include "image/disk/disk.h"
#include "image/plan/partition-plan.h"

/* Where the content of a partition is until the disk is put together. */
typedef struct {
    char *path;             /* a file in the work directory, or NULL: empty, or in the output already */
    guint64 written_offset; /* in the output, or 0 */
} PartitionFile;

struct Disk {
    const DiskOptions *options;
    Specifiers specifiers;
    Uuid seed;
    guint sector_size;
    GPtrArray *definitions; /* PartitionDefinition */
    Plan *plan;
    PartitionFile *files; /* one for each partition of the plan */
    char *work;           /* directory next to the output, or NULL: not made yet */
    int output_fd;
    gboolean finished;
    GPtrArray *partitions; /* DiskPartition */
    GPtrArray *artifacts;  /* char: split artifacts that were made */
};

/* "WHAT: " and errno's text; always FALSE. */
gboolean disk_fail_errno(const char *what, GError **error);

/* Whether somebody wants PARTITION as a file of its own. */
gboolean disk_wants_split(const Disk *disk, const PlannedPartition *partition);

/* Makes the content of PARTITION, and of the partitions with its hash tree and signature, either in the
 * output or in files of the work directory (disk->files). */
gboolean disk_write_partition(Disk *disk, PlannedPartition *partition, GError **error) G_GNUC_WARN_UNUSED_RESULT;
