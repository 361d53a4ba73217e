/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The compact index of a compressed file: for each logical block, whether a cluster starts there and where.
 * Entries are packed: 2 in 8 bytes, or 16 in 32 bytes where aligned to that; each pack ends with the address
 * of the first cluster that is counted from there on. So the clusters of a file must be contiguous on disk.
 */

#include <glib.h>

/* Bytes of an index of N_LOGICAL blocks that starts OFFSET bytes after the inode. */
gsize erofs_index_size(gsize offset, guint64 n_logical);

/*
 * Writes the index of CLUSTERS (of ErofsCluster, at least one), the first of which is at FIRST_BLOCK, to
 * OUT, which has erofs_index_size() zero bytes.
 */
void erofs_index_write(gsize offset, const GArray *clusters, guint32 first_block, guint8 *out);
