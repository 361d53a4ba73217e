/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What firmware and boot loaders find on the boot partitions of a disk, before those are written. */

#include <gio/gio.h>

#include "image/definitions/partition-definition.h"

/* A file of a boot partition. */
typedef struct {
    const PartitionDefinition *definition; /* of the partition, borrowed */
    char *path;                            /* on the partition: "EFI/BOOT/BOOTX64.EFI" */
    GBytes *content;                       /* mapped: it costs nothing until it is read */
} BootContentFile;

/* FALSE for what firmware cannot read: anything but FAT. What CopyBlocks= brings is not looked at: TRUE. */
gboolean boot_content_is_readable(const PartitionDefinition *definition);

/* The files that DEFINITIONS put into DIRECTORY ("EFI/Linux") of partitions of ROLE from the tree ROOT_FD, by name;
 * letters count as FAT counts them, a and A are the same. An array of BootContentFile, empty when there are none. */
GPtrArray *boot_content_list(
        GPtrArray *definitions, PartitionRole role, int root_fd, const char *directory, GError **error);
