/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The partition table of a disk whose slots are named anew, and no moment at which power may not fail.
 *
 * Linux does not look at the second table (at the end of the disk) when the first one is damaged, and the first one is two
 * things: the entries, and the header with their check sum. So neither may be written while the other one counts. Here the
 * second table is written first; then the new entries go behind the first table's own, where no partition is, and the
 * header, which is one sector, is switched to them; then they are written to where all tools put them, and the header is
 * switched back. Each step is on the disk before the next one begins. Where a disk has no room for that (its first usable
 * sector is too near), the first table is written in place, entries first, as others do it. */

#include <glib.h>

#include "base/uuid.h"

typedef struct {
    guint number; /* counted from 0, as in the table */
    Uuid type, uuid;
    guint64 offset, size; /* in bytes */
    guint64 flags;
    char *label; /* UTF-8 */
} GptPartition;

typedef struct GptTable GptTable;

/* Reads the table of the disk or file FD. The first copy has to be good; when the second one is not, it will be after
 * gpt_table_write(). Foreign bytes. */
GptTable *gpt_table_read(int fd, GError **error);
void gpt_table_free(GptTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GptTable, gpt_table_free)

/* The partitions that there are, in the order of the table: an array of GptPartition, owned by the table, and as it was
 * when it was read. */
const GPtrArray *gpt_table_get_partitions(const GptTable *table);

/* Gives a partition another type, UUID, label and flags. Fails when the label has more than 36 UTF-16 units. */
gboolean gpt_table_set(GptTable *table, guint number, const Uuid *type, const Uuid *uuid, guint64 flags,
        const char *label, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes what was set to FD, whose table has to be the one that was read: somebody else may have changed it meanwhile.
 * Everything is on the disk afterwards. */
gboolean gpt_table_write(GptTable *table, int fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
