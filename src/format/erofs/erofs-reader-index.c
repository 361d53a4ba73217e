/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The index of a compressed file. For each logical block (of the size of a block) it says whether an extent
 * starts in it, at which byte, and where its cluster is; other blocks say how far back their extent starts.
 * At most one extent starts in a block.
 *
 * A full index has an entry of 8 bytes for each block. A compact one has packs of 2 entries in 8 bytes or of
 * 16 in 32 bytes. A pack ends with a block number, from which on the clusters of its heads are counted.
 */
#include <string.h>

#include "format/erofs/erofs-reader-internal.h"

#define VALUE_BITS_MIN 12
#define SMALL_PACK 2
#define LARGE_PACK 16
#define LARGE_PACK_SIZE 32
#define LARGE_PACK_BLOCK_BITS_MAX 12
#define COMPACT_BLOCK_BITS_MAX 14
#define NO_TAIL G_MAXUINT64

/* An entry, whatever form it is stored in. */
typedef struct {
    ErofsClusterType type;
    guint32 offset; /* of a head in its logical block */
    guint32 block;  /* of a head */
    guint32 back;   /* others: logical blocks to go back */
    guint32 count;  /* others: blocks of the cluster, if this entry says that; else 0 */
    gboolean partial;
} Entry;

/* The packs of a compact index. */

typedef struct {
    guint64 start; /* byte of the image */
    guint n;
    guint bits; /* of an entry */
    guint value_bits;
    guint8 bytes[LARGE_PACK_SIZE];
} Pack;

static guint64 pack_size(guint n) {
    return n == LARGE_PACK ? LARGE_PACK_SIZE : 8;
}

/* Where the entry of LOGICAL is: its pack, and its number there. */
static void locate(const ErofsIndex *index, guint block_bits, guint64 logical, Pack *pack, guint *ret_i) {
    guint64 at = index->entries;
    gboolean large = FALSE;
    if (logical < index->initial) {
        at += logical * 4;
    } else if (logical - index->initial < index->large) {
        at += index->initial * 4 + (logical - index->initial) * 2;
        large = TRUE;
    } else {
        at += index->initial * 4 + index->large * 2 + (logical - index->initial - index->large) * 4;
    }
    pack->n = large ? LARGE_PACK : SMALL_PACK;
    guint64 size = pack_size(pack->n);
    pack->start = at - at % size;
    *ret_i = (at - pack->start) / (large ? 2 : 4);
    pack->bits = (size * 8 - 32) / pack->n;
    pack->value_bits = MAX(block_bits, VALUE_BITS_MIN);
}

static guint32 pack_value(const Pack *pack, guint i, ErofsClusterType *ret_type) {
    guint32 all = 0;
    guint bit = i * pack->bits;
    /* The block number follows, so there are always 3 bytes to look at. */
    for (guint byte = 0; byte < 3; byte++)
        all |= (guint32) pack->bytes[bit / 8 + byte] << 8 * byte;
    all >>= bit % 8;
    *ret_type = all >> pack->value_bits & 3;
    return all & ((1u << pack->value_bits) - 1);
}

/* Blocks of the clusters whose heads are counted in the pack before entry I. */
static guint64 blocks_before(const Pack *pack, guint i, gboolean big) {
    guint64 blocks = big ? 0 : 1; /* without counts, the pack names the block before the first */
    for (guint k = 0; k < i; k++) {
        ErofsClusterType type, next_type;
        guint32 value = pack_value(pack, k, &type);
        if (type == EROFS_CLUSTER_NONHEAD) {
            if (big && value & EROFS_CLUSTER_COUNT_BIT)
                blocks += value & ~EROFS_CLUSTER_COUNT_BIT;
            continue;
        }
        guint32 next = pack_value(pack, k + 1, &next_type);
        if (!(big && next_type == EROFS_CLUSTER_NONHEAD && next & EROFS_CLUSTER_COUNT_BIT))
            blocks++;
    }
    return blocks;
}

static gboolean is_big(const ErofsIndex *index) {
    return index->advise & (EROFS_ADVISE_BIG_CLUSTER_1 | EROFS_ADVISE_BIG_CLUSTER_2);
}

static gboolean read_compact(
        ErofsReader *reader, const ErofsIndex *index, guint64 logical, Entry *ret, GError **error) {
    Pack pack;
    guint i;
    locate(index, reader->image->block_bits, logical, &pack, &i);
    if (!erofs_reader_read_metadata(reader, index->nid, pack.start, pack.bytes, pack_size(pack.n), error))
        return FALSE;
    gboolean big = is_big(index);
    *ret = (Entry){0};
    guint32 value = pack_value(&pack, i, &ret->type);
    if (ret->type != EROFS_CLUSTER_NONHEAD) {
        guint32 base;
        memcpy(&base, pack.bytes + pack_size(pack.n) - sizeof base, sizeof base);
        guint64 block = GUINT32_FROM_LE(base) + blocks_before(&pack, i, big);
        ret->offset = value;
        ret->block = (guint32) block;
        if (value >= reader->image->info.block_size)
            return erofs_damaged(error, index->nid, pack.start, "an extent starts behind its block");
        return TRUE;
    }
    if (value & EROFS_CLUSTER_COUNT_BIT) {
        if (!big)
            return erofs_damaged(
                    error, index->nid, pack.start, "a number of blocks in an index without any");
        ret->count = value & ~EROFS_CLUSTER_COUNT_BIT;
        ret->back = 1;
    } else if (i + 1 < pack.n) {
        ret->back = value;
    } else {
        /* The last of a pack has the distance forth, so go by the one before it. */
        ErofsClusterType type;
        guint32 previous = pack_value(&pack, i - 1, &type);
        if (type != EROFS_CLUSTER_NONHEAD)
            ret->back = 1;
        else
            ret->back = big && previous & EROFS_CLUSTER_COUNT_BIT ? 2 : previous + 1;
    }
    return TRUE;
}

/* Full indexes. */

static gboolean read_full(
        ErofsReader *reader, const ErofsIndex *index, guint64 logical, Entry *ret, GError **error) {
    ErofsFullEntry entry;
    guint64 at = index->entries + logical * sizeof entry;
    if (!erofs_reader_read_metadata(reader, index->nid, at, &entry, sizeof entry, error))
        return FALSE;
    guint16 type = GUINT16_FROM_LE(entry.type);
    *ret = (Entry){.type = type & 3, .partial = type & EROFS_CLUSTER_PARTIAL};
    if (type & ~(EROFS_CLUSTER_PARTIAL | 3u))
        return erofs_unsupported(error, index->nid, at, "an index entry of the unknown type 0x%x", type);
    if (ret->type != EROFS_CLUSTER_NONHEAD) {
        ret->offset = GUINT16_FROM_LE(entry.offset);
        ret->block = GUINT32_FROM_LE(entry.block);
        if (ret->offset >= reader->image->info.block_size)
            return erofs_damaged(error, index->nid, at, "an extent starts behind its block");
        return TRUE;
    }
    guint16 back = GUINT16_FROM_LE(entry.distance[0]);
    ret->back = back;
    if (back & EROFS_CLUSTER_COUNT_BIT) {
        if (!is_big(index))
            return erofs_damaged(error, index->nid, at, "a number of blocks in an index without any");
        ret->count = back & ~EROFS_CLUSTER_COUNT_BIT;
        ret->back = 1;
    }
    return TRUE;
}

static gboolean read_entry(
        ErofsReader *reader, const ErofsIndex *index, guint64 logical, Entry *ret, GError **error) {
    return index->compact ? read_compact(reader, index, logical, ret, error)
                          : read_full(reader, index, logical, ret, error);
}

/* Extents. */

static guint64 max_distance(const ErofsReader *reader) {
    return (EROFS_CLUSTER_CONTENT_MAX >> reader->image->block_bits) + 1;
}

/* The logical block in which the extent starts that contains OFFSET, and its entry. */
static gboolean find_head(ErofsReader *reader, const ErofsIndex *index, guint64 offset, guint64 *ret_logical,
        Entry *ret, GError **error) {
    guint64 first = offset >> reader->image->block_bits, logical = first;
    if (!read_entry(reader, index, logical, ret, error))
        return FALSE;
    gboolean before = ret->type != EROFS_CLUSTER_NONHEAD &&
                      (offset & (reader->image->info.block_size - 1)) < ret->offset;
    while (before || ret->type == EROFS_CLUSTER_NONHEAD) {
        guint32 back = before ? 1 : ret->back;
        before = FALSE;
        if (back == 0 || back > logical)
            return erofs_damaged_content(error, index->nid, offset, "its index has no extent for it");
        logical -= back;
        if (first - logical > max_distance(reader))
            return erofs_damaged_content(error, index->nid, offset, "its extent has more than %u bytes",
                    EROFS_CLUSTER_CONTENT_MAX);
        if (!read_entry(reader, index, logical, ret, error))
            return FALSE;
    }
    *ret_logical = logical;
    return TRUE;
}

/* Where the extent ends that starts in LOGICAL. RET_BLOCKS: what the block behind LOGICAL says of the
 * cluster: its blocks, 0 if it should say that but does not, 1 if another extent starts there or the file
 * ends. */
static gboolean find_end(ErofsReader *reader, const ErofsIndex *index, guint64 logical, guint64 *ret_end,
        guint32 *ret_blocks, GError **error) {
    guint64 next = logical;
    *ret_blocks = 1;
    while (++next < index->n_logical) {
        Entry entry;
        if (!read_entry(reader, index, next, &entry, error))
            return FALSE;
        if (entry.type != EROFS_CLUSTER_NONHEAD) {
            *ret_end = MIN((next << reader->image->block_bits) + entry.offset, index->size);
            return TRUE;
        }
        if (next == logical + 1)
            *ret_blocks = entry.count;
        if (next - logical > max_distance(reader))
            return erofs_damaged_content(error, index->nid, logical << reader->image->block_bits,
                    "its extent has more than %u bytes", EROFS_CLUSTER_CONTENT_MAX);
    }
    *ret_end = index->size;
    return TRUE;
}

/* Blocks of the cluster of HEAD; SAID: by the block behind it. */
static gboolean count_blocks(
        const ErofsIndex *index, const Entry *head, guint32 said, guint32 *ret, guint64 at, GError **error) {
    guint16 big =
            head->type == EROFS_CLUSTER_HEAD_2 ? EROFS_ADVISE_BIG_CLUSTER_2 : EROFS_ADVISE_BIG_CLUSTER_1;
    *ret = 1;
    if (head->type == EROFS_CLUSTER_PLAIN) {
        if (said > 1)
            return erofs_unsupported(
                    error, index->nid, at, "a raw cluster of %u blocks; readers differ on that", said);
        return TRUE;
    }
    if (!(index->advise & big))
        return TRUE;
    if (said == 0)
        return erofs_damaged_content(
                error, index->nid, at, "its cluster does not say how many blocks it has");
    *ret = said;
    return TRUE;
}

static gboolean check_extent(
        const ErofsReader *reader, const ErofsIndex *index, const ErofsExtent *extent, GError **error) {
    if (extent->length > EROFS_CLUSTER_CONTENT_MAX || extent->stored > EROFS_CLUSTER_STORED_MAX)
        return erofs_damaged_content(error, index->nid, extent->offset,
                "a cluster of %" G_GUINT64_FORMAT " bytes for %" G_GUINT64_FORMAT
                " bytes of content; at most %u and %u are supported",
                extent->stored, extent->length, EROFS_CLUSTER_STORED_MAX, EROFS_CLUSTER_CONTENT_MAX);
    if (extent->storage == EROFS_STORED_PLAIN &&
            (extent->length > extent->stored ||
                    (extent->rotate > 0 && extent->stored != reader->image->info.block_size)))
        return erofs_damaged_content(error, index->nid, extent->offset,
                "%" G_GUINT64_FORMAT " bytes of raw content in %" G_GUINT64_FORMAT " bytes", extent->length,
                extent->stored);
    if (extent->storage == EROFS_STORED_COMPRESSED &&
            !(reader->image->info.algorithms & 1u << extent->algorithm))
        return erofs_damaged_content(error, index->nid, extent->offset,
                "it is compressed with algorithm %u, which the superblock does not announce",
                extent->algorithm);
    return TRUE;
}

/* The extent whose HEAD is in LOGICAL. */
static gboolean make_extent(ErofsReader *reader, const ErofsIndex *index, guint64 logical, const Entry *head,
        ErofsExtent *ret, GError **error) {
    guint block_bits = reader->image->block_bits;
    guint64 end = 0;
    guint32 said = 0, blocks = 0;
    guint64 start = (logical << block_bits) + head->offset;
    if (!find_end(reader, index, logical, &end, &said, error))
        return FALSE;
    if (end <= start)
        return erofs_damaged_content(error, index->nid, start, "an extent starts at or behind the end");
    *ret = (ErofsExtent){.offset = start, .length = end - start, .partial = head->partial};
    if (logical == index->tail && index->advise & EROFS_ADVISE_FRAGMENT) {
        ret->storage = EROFS_STORED_PACKED;
        ret->where = index->fragment + (index->compact ? 0 : (guint64) head->block << 32);
        ret->stored = ret->length;
        ret->partial = FALSE;
        return TRUE;
    }
    if (!count_blocks(index, head, said, &blocks, start, error))
        return FALSE;
    ret->where = (guint64) head->block << block_bits;
    ret->stored = (guint64) blocks << block_bits;
    if (logical == index->tail) {
        ret->where = index->end;
        ret->stored = index->last_size;
    }
    ret->storage = head->type == EROFS_CLUSTER_PLAIN ? EROFS_STORED_PLAIN : EROFS_STORED_COMPRESSED;
    if (ret->storage == EROFS_STORED_PLAIN && index->advise & EROFS_ADVISE_INTERLACED)
        ret->rotate = head->offset;
    if (ret->storage == EROFS_STORED_COMPRESSED)
        ret->algorithm =
                head->type == EROFS_CLUSTER_HEAD_2 ? index->algorithms >> 4 : index->algorithms & 15;
    return check_extent(reader, index, ret, error);
}

/* The header. */

static void divide_compact(const ErofsReader *reader, ErofsIndex *index) {
    index->initial = (LARGE_PACK_SIZE - index->entries % LARGE_PACK_SIZE) / 4 % 8;
    if (index->advise & EROFS_ADVISE_COMPACT_2B && reader->image->block_bits <= LARGE_PACK_BLOCK_BITS_MAX &&
            index->initial < index->n_logical)
        index->large = (index->n_logical - index->initial) / LARGE_PACK * LARGE_PACK;
    else
        index->initial = index->n_logical;
}

static gboolean check_header(const ErofsReader *reader, const ErofsIndex *index, guint8 cluster_bits,
        guint64 at, GError **error) {
    const guint16 known = EROFS_ADVISE_BIG_CLUSTER_1 | EROFS_ADVISE_BIG_CLUSTER_2 |
                          EROFS_ADVISE_INLINE_CLUSTER | EROFS_ADVISE_INTERLACED | EROFS_ADVISE_FRAGMENT |
                          (index->compact ? EROFS_ADVISE_COMPACT_2B : 0);
    if (index->advise & ~known)
        return erofs_unsupported(
                error, index->nid, at, "unknown flags 0x%x of a compressed file", index->advise & ~known);
    if (cluster_bits != 0)
        return erofs_unsupported(
                error, index->nid, at, "logical clusters of another size than blocks (0x%x)", cluster_bits);
    if (index->advise & EROFS_ADVISE_INLINE_CLUSTER && index->advise & EROFS_ADVISE_FRAGMENT)
        return erofs_damaged(error, index->nid, at, "both an inline cluster and a fragment");
    if (index->compact && reader->image->block_bits > COMPACT_BLOCK_BITS_MAX)
        return erofs_unsupported(error, index->nid, at, "a compact index with blocks over 16 KiB");
    if (index->compact &&
            !(index->advise & EROFS_ADVISE_BIG_CLUSTER_1) != !(index->advise & EROFS_ADVISE_BIG_CLUSTER_2))
        return erofs_damaged(error, index->nid, at, "large clusters of one of two algorithms");
    return TRUE;
}

/* The last extent of files with an inline cluster or a fragment is that. */
static gboolean find_tail(ErofsReader *reader, ErofsIndex *index, GError **error) {
    Entry last;
    index->end = index->entries + index->n_logical * sizeof(ErofsFullEntry);
    if (index->compact) {
        Pack pack;
        guint i;
        locate(index, reader->image->block_bits, index->n_logical - 1, &pack, &i);
        index->end = pack.start + pack_size(pack.n);
    }
    index->tail = NO_TAIL;
    if (index->last_size == 0 && !(index->advise & EROFS_ADVISE_FRAGMENT))
        return TRUE;
    guint32 block_size = reader->image->info.block_size;
    if (index->last_size > 0 && index->end % block_size + index->last_size > block_size)
        return erofs_damaged(error, index->nid, index->end, "the inline cluster crosses a block");
    return find_head(reader, index, index->size - 1, &index->tail, &last, error);
}

static gboolean read_index(ErofsReader *reader, const ErofsNode *node, ErofsIndex *index, GError **error) {
    guint64 at = (node->attributes + node->attributes_size + 7) & ~(guint64) 7;
    union {
        ErofsMapHeader header;
        guint64 whole;
    } map;
    *index = (ErofsIndex){.nid = node->nid, .size = node->size};
    if (!erofs_reader_read_metadata(reader, node->nid, at, &map, sizeof map, error))
        return FALSE;
    if (GUINT64_FROM_LE(map.whole) & EROFS_MAP_WHOLE_FRAGMENT) {
        index->whole_fragment = TRUE;
        index->fragment = GUINT64_FROM_LE(map.whole) ^ EROFS_MAP_WHOLE_FRAGMENT;
        index->valid = TRUE;
        return TRUE;
    }
    guint block_bits = reader->image->block_bits;
    index->compact = node->layout == EROFS_LAYOUT_COMPRESSED;
    index->advise = GUINT16_FROM_LE(map.header.advise);
    index->algorithms = map.header.algorithms;
    index->n_logical = (node->size >> block_bits) + !!(node->size & (reader->image->info.block_size - 1));
    if (!check_header(reader, index, map.header.cluster_bits, at, error))
        return FALSE;
    if (index->advise & EROFS_ADVISE_FRAGMENT)
        index->fragment = GUINT32_FROM_LE(map.header.fragment_offset);
    if (index->advise & EROFS_ADVISE_INLINE_CLUSTER)
        index->last_size = GUINT32_FROM_LE(map.header.fragment_offset) >> 16;
    /* Every block has at least 2 bytes of index, so that larger numbers cannot be right. */
    if (index->n_logical > reader->image->size)
        return erofs_damaged(error, node->nid, at, "a size of %" G_GUINT64_FORMAT " bytes", node->size);
    index->entries = at + sizeof map.header;
    if (index->compact)
        divide_compact(reader, index);
    else
        index->entries += 8;
    if (!find_tail(reader, index, error))
        return FALSE;
    index->valid = TRUE;
    return TRUE;
}

gboolean erofs_index_map(ErofsReader *reader, const ErofsNode *node, gboolean packed, guint64 offset,
        ErofsExtent *ret, GError **error) {
    ErofsIndex *index = &reader->indexes[packed];
    if ((!index->valid || index->nid != node->nid || index->size != node->size) &&
            !read_index(reader, node, index, error)) {
        index->valid = FALSE;
        return FALSE;
    }
    if (index->whole_fragment) {
        *ret = (ErofsExtent){
                .length = node->size,
                .storage = EROFS_STORED_PACKED,
                .where = index->fragment,
                .stored = node->size,
        };
        return TRUE;
    }
    guint64 logical = 0;
    Entry head = {0};
    return find_head(reader, index, offset, &logical, &head, error) &&
           make_extent(reader, index, logical, &head, ret, error);
}
