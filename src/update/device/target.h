/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is installed: the slots of a disk and the files of a directory that a transfer is about, as systemd-sysupdate sees
 * them. A slot that is free is called "_empty". A slot or file that another program has not finished (systemd-sysupdate 262
 * gives slots other types, and files names that begin with ".sysupdate.") holds no version, and may be used. */

#include <glib.h>

#include "update/device/gpt-table.h"
#include "update/device/machine.h"
#include "update/transfer/transfer.h"

#define SLOT_EMPTY "_empty"
#define FILE_PARTIAL ".sysupdate.partial."
#define FILE_PENDING ".sysupdate.pending."

/* A disk that is open, with the table that it had then. */
typedef struct {
    char *path;
    int fd;
    GptTable *table;
} Disk;

Disk *disk_open(const char *path, gboolean writable, GError **error);
void disk_free(Disk *disk);

/* Reads the table again, after it was written. */
gboolean disk_reload(Disk *disk, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes the table. Nobody else may look at the disk meanwhile: udev waits for a lock on it. */
gboolean disk_write_table(Disk *disk, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    char *name; /* of the file, or the label */
    PatternFields fields;
    const GptPartition *slot; /* owned by the disk's table; NULL for files */
    guint64 size;             /* of a file */
} Instance;

typedef struct {
    const Transfer *transfer;
    Disk *disk;           /* borrowed; NULL for files */
    char *directory;      /* NULL for slots */
    GPtrArray *instances; /* Instance, the newest first */
    GPtrArray *free;      /* GptPartition (borrowed): slots that hold no version, the smallest first */
    GPtrArray *left_over; /* names of files that were not finished */
} Target;

/* DISK: that of a transfer to a partition; else NULL. */
Target *target_read(const Transfer *transfer, const Machine *machine, Disk *disk, GError **error);
void target_free(Target *target);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Target, target_free)

/* The instance of VERSION; NULL: there is none. */
Instance *target_find(const Target *target, const char *version);

/* Whether FOUND is one of the types that systemd-sysupdate 262 gives to slots of TYPE that it has not finished: while it
 * writes, and until it has named all. */
gboolean target_is_unfinished_type(const Uuid *type, const Uuid *found);

/* Gives SLOT the type of the transfer and the name of an empty one, in the table that is in memory. */
gboolean target_clear_slot(const Target *target, const GptPartition *slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;
