/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delta/volume-pieces.h"

#include <string.h>

#include "base/io.h"
#include "format/erofs/writer/erofs-compress.h"

#define BLOCK EROFS_BLOCK_SIZE
#define PLAIN_PIECE (16u * BLOCK)
#define LEVEL_MAX 22
/* Clusters that are tried until a level is found. */
#define SAMPLES 8

/* A cluster of the packed inode that is a piece. */
typedef struct {
    guint64 offset, length; /* in the packed inode */
    guint piece;
} PackedPiece;

struct VolumePieces {
    Maker *maker;
    guint8 *changed;
    guint64 n_blocks;
    guint level; /* that clusters are compressed with; 0: not known yet; LEVEL_MAX + 1: nobody knows */
    guint samples;
    ErofsCompressor *compressor;
    guint8 *content, *stored, *again; /* of a cluster */
    GArray *packed;                   /* PackedPiece, rising */
    GHashTable *seen;                 /* bytes of the image and of the packed inode that were handed over */
};

void volume_pieces_free(VolumePieces *pieces) {
    if (!pieces)
        return;
    if (pieces->compressor)
        erofs_compressor_free(pieces->compressor);
    g_free(pieces->content);
    g_free(pieces->stored);
    g_free(pieces->again);
    g_array_unref(pieces->packed);
    g_hash_table_unref(pieces->seen);
    g_free(pieces);
}

/* Whether WHERE comes for the first time. PACKED: it is of the packed inode. */
static gboolean see(VolumePieces *pieces, guint64 where, gboolean packed) {
    guint64 *key = g_new(guint64, 1);

    *key = where << 1 | (packed ? 1 : 0);
    return g_hash_table_add(pieces->seen, key);
}

/* How many of the blocks of [WHERE, WHERE + SIZE) are changed. */
static guint64 count_changed(const VolumePieces *pieces, guint64 where, guint64 size) {
    guint64 n = 0;

    for (guint64 i = where / BLOCK; i < (where + size) / BLOCK && i < pieces->n_blocks; i++)
        n += pieces->changed[i] == 1;
    return n;
}

static guint add_piece(VolumePieces *pieces, const DeltaPiece *piece) {
    for (guint64 i = piece->offset / BLOCK; i < (piece->offset + piece->stored) / BLOCK; i++)
        pieces->changed[i] = 2;
    return maker_add_piece(pieces->maker, piece);
}

/* ---- clusters ---- */

static gboolean becomes(VolumePieces *pieces, guint level, const ErofsExtent *extent) {
    ErofsCompressor *compressor = level == pieces->level ? pieces->compressor : NULL;

    if (!compressor)
        compressor = erofs_compressor_new(EROFS_COMPRESSION_ZSTD, (int) level, EROFS_CLUSTER_SIZE_MAX);
    ErofsCluster cluster = erofs_compress_cluster(compressor, pieces->content, extent->length, pieces->again);
    gboolean same = !cluster.raw && (guint64) cluster.physical * BLOCK == extent->stored &&
                    memcmp(pieces->again, pieces->stored, extent->stored) == 0;
    if (same && !pieces->compressor) {
        pieces->level = level;
        pieces->compressor = compressor;
    } else if (compressor != pieces->compressor)
        erofs_compressor_free(compressor);
    return same;
}

/* Whether the cluster of EXTENT, whose content is there, comes out again when it is compressed. */
static gboolean is_reproducible(VolumePieces *pieces, const ErofsExtent *extent, GError **error) {
    if (extent->algorithm != EROFS_ALGORITHM_ZSTD || extent->stored >= extent->length ||
            extent->length > EROFS_CLUSTER_SIZE_MAX || extent->partial)
        return FALSE;
    if (!pread_all(pieces->maker->target.old_fd, pieces->stored, extent->stored, extent->where, error))
        return FALSE;
    if (pieces->compressor)
        return becomes(pieces, pieces->level, extent);
    if (pieces->samples++ >= SAMPLES)
        return FALSE;
    for (guint level = 1; level <= LEVEL_MAX; level++)
        if (becomes(pieces, level, extent))
            return TRUE;
    return FALSE;
}

/* EXTENT as a piece, if it is changed and can be made again. RET: which one. */
static gboolean add_cluster(VolumePieces *pieces, ErofsReader *reader, const ErofsNode *node, const ErofsExtent *extent,
        guint *ret, GError **error) {
    g_autoptr(GError) failure = NULL;

    if (extent->where % BLOCK != 0 || extent->stored % BLOCK != 0 || extent->length > EROFS_CLUSTER_SIZE_MAX ||
            count_changed(pieces, extent->where, extent->stored) == 0 || !see(pieces, extent->where, FALSE))
        return FALSE;
    if (!erofs_reader_read(reader, node, extent->offset, pieces->content, extent->length, NULL, error))
        return FALSE;
    gboolean same = is_reproducible(pieces, extent, &failure);
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    if (!same)
        return FALSE;
    DeltaPiece piece = {.kind = DELTA_PIECE_CLUSTER,
            .level = pieces->level,
            .offset = extent->where,
            .stored = extent->stored,
            .content = extent->length};
    *ret = add_piece(pieces, &piece);
    return TRUE;
}

/* ---- files ---- */

/* What is stored as it is, in pieces of some blocks. */
static void add_plain(VolumePieces *pieces, const ErofsExtent *extent, GArray *parts) {
    if (extent->where % BLOCK != 0 || extent->rotate != 0 || !see(pieces, extent->where, FALSE))
        return;
    for (guint64 at = 0; at < extent->length; at += PLAIN_PIECE) {
        DeltaPiece piece = {.kind = DELTA_PIECE_RAW, .offset = extent->where + at};
        piece.content = MIN(PLAIN_PIECE, extent->length - at);
        piece.stored = (piece.content + BLOCK - 1) / BLOCK * BLOCK;
        if (count_changed(pieces, piece.offset, piece.stored) == 0 ||
                (piece.offset + piece.stored) / BLOCK > pieces->n_blocks)
            continue;
        FilePart part = {extent->offset + at, piece.content, add_piece(pieces, &piece), 0};
        g_array_append_val(parts, part);
    }
}

/* Bytes of the packed inode: as much of them as is in pieces. */
static void add_fragment(VolumePieces *pieces, const ErofsExtent *extent, GArray *parts) {
    guint64 end = extent->where + extent->length;

    for (guint i = 0; i < pieces->packed->len; i++) {
        const PackedPiece *packed = &g_array_index(pieces->packed, PackedPiece, i);
        guint64 from = MAX(packed->offset, extent->where), to = MIN(packed->offset + packed->length, end);
        if (from >= to || !see(pieces, from, TRUE))
            continue;
        FilePart part = {extent->offset + (from - extent->where), to - from, packed->piece, from - packed->offset};
        g_array_append_val(parts, part);
    }
}

GArray *volume_pieces_take(VolumePieces *pieces, ErofsReader *reader, const ErofsNode *node, GError **error) {
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(FilePart));
    g_autoptr(GError) failure = NULL;
    ErofsExtent extent;

    for (guint64 at = 0; at < node->size; at = extent.offset + extent.length) {
        guint piece = 0;
        if (!erofs_reader_map(reader, node, at, &extent, error))
            return NULL;
        if (extent.storage == EROFS_STORED_PLAIN)
            add_plain(pieces, &extent, parts);
        else if (extent.storage == EROFS_STORED_PACKED)
            add_fragment(pieces, &extent, parts);
        else if (extent.storage == EROFS_STORED_COMPRESSED &&
                 add_cluster(pieces, reader, node, &extent, &piece, &failure)) {
            FilePart part = {extent.offset, extent.length, piece, 0};
            g_array_append_val(parts, part);
        }
        if (failure) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
    }
    return g_steal_pointer(&parts);
}

/* Clusters of the packed inode come first: files refer to them. */
static gboolean add_packed(VolumePieces *pieces, ErofsReader *reader, guint64 nid, GError **error) {
    ErofsNode node;

    if (nid == 0)
        return TRUE;
    if (!erofs_reader_get(reader, nid, &node, error))
        return FALSE;
    g_autoptr(GArray) parts = volume_pieces_take(pieces, reader, &node, error);
    for (guint i = 0; parts && i < parts->len; i++) {
        const FilePart *part = &g_array_index(parts, FilePart, i);
        PackedPiece packed = {part->offset, part->length, part->piece};
        g_array_append_val(pieces->packed, packed);
    }
    return parts != NULL;
}

VolumePieces *volume_pieces_new(Maker *maker, ErofsReader *reader, guint8 *changed, guint64 n_blocks, GError **error) {
    g_autoptr(VolumePieces) pieces = g_new0(VolumePieces, 1);
    const ErofsImageInfo *info = erofs_image_get_info(maker->target.old_image);

    pieces->maker = maker;
    pieces->changed = changed;
    pieces->n_blocks = n_blocks;
    pieces->content = g_malloc(EROFS_CLUSTER_SIZE_MAX);
    pieces->stored = g_malloc(EROFS_CLUSTER_SIZE_MAX);
    pieces->again = g_malloc(EROFS_CLUSTER_SIZE_MAX);
    pieces->packed = g_array_new(FALSE, FALSE, sizeof(PackedPiece));
    pieces->seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    return add_packed(pieces, reader, info->packed_nid, error) ? g_steal_pointer(&pieces) : NULL;
}
