/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A volume out of what the device has and what it has to fetch.
 *
 * The leaves of the hash tree say what each block of the new volume has to be. A block comes from where it is nearest: it
 * lies in its place already (an update was interrupted, or the slot's former version had it there), it is all zeros, another
 * slot has it, or the server has it. Every block is compared with its leaf before it is written, wherever it comes from.
 *
 * Digests of blocks can only be compared with those of another tree when both have the same salt. Where the salt differs,
 * the other slot's blocks would have to be hashed again; that is done too: reading a slot costs less than fetching one. */

#include <glib.h>

#include "format/verity/verity.h"
#include "update/source/source.h"

typedef struct BlockSources BlockSources;

/* What the device has. SUPERBLOCK (copied) has the salt that all digests are made with. */
BlockSources *block_sources_new(const VeritySuperblock *superblock);
void block_sources_free(BlockSources *sources);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BlockSources, block_sources_free)

/* Adds the blocks at OFFSET of FD (borrowed), SIZE bytes. AREA (borrowed while SOURCES lives) is their hash area, AREA_SIZE
 * bytes; NULL, or one that is damaged or has another salt: they are read and hashed. */
void block_sources_add(
        BlockSources *sources, int fd, guint64 offset, guint64 size, const guint8 *area, guint64 area_size);

/* A volume that is being made. */
typedef struct BlockInstall BlockInstall;

/* Whether any of the N blocks from FIRST on are still to come. */
gboolean block_install_wants(const BlockInstall *install, guint64 first, guint64 n);

/* Writes those of the N blocks from FIRST on that are still to come and are what the hash tree says. */
gboolean block_install_offer(
        BlockInstall *install, guint64 first, const guint8 *bytes, guint64 n, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Somebody else who may have blocks, asked before any is fetched. WANTED: bytes that are still to come. FALSE with ERROR set
 * ends everything: what was offered could not be written. */
typedef gboolean (*BlockSupply)(gpointer data, BlockInstall *install, guint64 wanted, GError **error);

typedef struct {
    UpdateSource *source;
    const char *name; /* of the file */
    guint64 size;     /* of the file */
    int fd;           /* the disk */
    guint64 offset;   /* of the slot, which has room for SIZE */
    const guint8 *area;
    VeritySuperblock superblock;
    BlockSupply supply; /* NULL: there is none */
    gpointer supply_data;
} BlockInput;

typedef struct {
    guint64 kept;    /* bytes that the device had */
    guint64 made;    /* bytes that came of deltas */
    guint64 wanted;  /* bytes that were fetched */
    guint64 written; /* bytes written */
} BlockResult;

/* Called with bytes that have arrived of those that are wanted. */
typedef void (*BlockProgress)(gpointer data, guint64 arrived, guint64 wanted);

/* Makes the slot hold the file. What is behind the blocks of the tree becomes zeros. Nothing is flushed. */
gboolean blocks_install(const BlockInput *input, const BlockSources *sources, BlockProgress progress, gpointer data,
        BlockResult *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The ranges to ask for when the N blocks that WANTED marks (a byte each) are wanted of a file of SIZE bytes: gaps are
 * asked for, too, where that saves requests, up to a twenty-fifth of what is wanted. An array of HttpRange. */
GArray *blocks_merge(const guint8 *wanted, guint64 n, guint64 size);
