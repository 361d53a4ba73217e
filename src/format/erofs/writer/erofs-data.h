/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The contents of files: read, compressed and hashed by a pool of threads, written in the order of paths.
 */

#include <gio/gio.h>

#include "format/erofs/writer/erofs-tree.h"
#include "packs/pack-store.h"

/* The blocks of the output so far. */
typedef struct {
    int fd;
    guint64 offset; /* of the file system in it */
    guint64 max_blocks;
    guint32 next_block;
    guint32 end_block;  /* after the last that was ever written */
    VerityTree *verity; /* may be NULL */
} ErofsOutput;

/*
 * Writes N_BLOCKS blocks at BLOCK. DIGESTS: what verity needs to know of them, if there is verity.
 * Fails with G_IO_ERROR_NO_SPACE beyond the limit.
 */
gboolean erofs_output_write(ErofsOutput *output, guint32 block, const void *data, gsize n_blocks,
        const guint8 *digests, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Overwrites what was written behind the end with zeros: blocks that turned out to be there already. */
gboolean erofs_output_clear_rest(ErofsOutput *output, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    ErofsCompression compression;
    int level;
    guint32 cluster_size;
    guint32 fragment_max; /* tails up to this many bytes go into the packed inode */
    guint32 packed_min;   /* bytes that a cluster of the packed inode has at least, if another follows */
    guint32 packed_max;   /* and at most */
    guint threads;
    PackStore *store;  /* see erofs-cluster.h */
    const char *maker; /* likewise */
    gboolean (*cancelled)(gconstpointer data); /* may be NULL */
    gconstpointer cancelled_data;
} ErofsDataOptions;

/*
 * Writes the contents of the regular files among INODES (in the order of paths), and of PACKED, which gets
 * a size if anything went there; fills in their data.
 */
gboolean erofs_data_write(ErofsOutput *output, const ErofsDataOptions *options, GPtrArray *inodes,
        ErofsInode *packed, GError **error) G_GNUC_WARN_UNUSED_RESULT;
