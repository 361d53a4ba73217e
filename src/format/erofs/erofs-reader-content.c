/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Contents: extents of every layout, and the bytes in them. */
#include <string.h>

#include "format/erofs/erofs-reader-internal.h"

#define PIECE_SIZE (256u * 1024)

/* Layouts without compression. */

static gboolean map_inline(
        const ErofsReader *reader, const ErofsNode *node, guint64 offset, ErofsExtent *ret, GError **error) {
    guint32 block_size = reader->image->info.block_size;
    guint64 body = (node->size - 1) & ~(guint64) (block_size - 1);
    if (offset < body) {
        ret->length = body;
        ret->where = (guint64) node->where << reader->image->block_bits;
        return TRUE;
    }
    ret->offset = body;
    ret->length = node->size - body;
    ret->where = node->attributes + node->attributes_size;
    if (ret->where % block_size + ret->length > block_size)
        return erofs_damaged(
                error, node->nid, ret->where, "the end of the content in the inode crosses a block");
    return TRUE;
}

static gboolean map_chunk(
        ErofsReader *reader, const ErofsNode *node, guint64 offset, ErofsExtent *ret, GError **error) {
    guint64 table = node->attributes + node->attributes_size;
    if (node->where & ~(EROFS_CHUNK_BITS_MASK | EROFS_CHUNK_INDEXES))
        return erofs_unsupported(error, node->nid, table, "chunks of the unknown format 0x%x", node->where);
    guint chunk_bits = reader->image->block_bits + (node->where & EROFS_CHUNK_BITS_MASK);
    guint64 number = offset >> chunk_bits;
    ErofsChunkEntry entry = {0};
    gboolean long_entries = node->where & EROFS_CHUNK_INDEXES;
    gsize size = long_entries ? sizeof entry : sizeof entry.block;
    if (number > reader->image->size)
        return erofs_damaged_content(error, node->nid, offset, "its table of chunks does not end");
    guint64 at = ((table + size - 1) & ~(guint64) (size - 1)) + number * size;
    if (!erofs_reader_read_metadata(
                reader, node->nid, at, long_entries ? (gpointer) &entry : &entry.block, size, error))
        return FALSE;
    if (entry.device != 0)
        return erofs_unsupported(error, node->nid, at, "a chunk on a further device");
    ret->offset = number << chunk_bits;
    ret->length = MIN(G_GUINT64_CONSTANT(1) << chunk_bits, node->size - ret->offset);
    ret->where = (guint64) GUINT32_FROM_LE(entry.block) << reader->image->block_bits;
    if (GUINT32_FROM_LE(entry.block) == EROFS_NO_BLOCK)
        *ret = (ErofsExtent){.offset = ret->offset, .length = ret->length, .storage = EROFS_STORED_HOLE};
    return TRUE;
}

static gboolean map_flat(
        ErofsReader *reader, const ErofsNode *node, guint64 offset, ErofsExtent *ret, GError **error) {
    *ret = (ErofsExtent){.length = node->size, .storage = EROFS_STORED_PLAIN};
    if (node->layout == EROFS_LAYOUT_PLAIN)
        ret->where = (guint64) node->where << reader->image->block_bits;
    else if (!(node->layout == EROFS_LAYOUT_INLINE ? map_inline(reader, node, offset, ret, error)
                                                   : map_chunk(reader, node, offset, ret, error)))
        return FALSE;
    if (ret->storage == EROFS_STORED_HOLE)
        return TRUE;
    ret->stored = ret->length;
    if (ret->where > reader->image->size || ret->length > reader->image->size - ret->where)
        return erofs_damaged_content(error, node->nid, ret->offset,
                "%" G_GUINT64_FORMAT " bytes are at byte %" G_GUINT64_FORMAT
                " of the image, not all in the file system of %" G_GUINT64_FORMAT " bytes",
                ret->length, ret->where, reader->image->size);
    return TRUE;
}

static gboolean is_compressed(const ErofsNode *node) {
    return node->layout == EROFS_LAYOUT_COMPRESSED || node->layout == EROFS_LAYOUT_COMPRESSED_FULL;
}

gboolean erofs_extent_find(ErofsReader *reader, const ErofsNode *node, gboolean packed, guint64 offset,
        ErofsExtent *ret, GError **error) {
    const ErofsExtent *latest = &reader->extents[packed];
    if (reader->extent_nids[packed] == node->nid && offset >= latest->offset &&
            offset - latest->offset < latest->length && latest->offset + latest->length <= node->size) {
        *ret = *latest;
        return TRUE;
    }
    if (!(is_compressed(node) ? erofs_index_map(reader, node, packed, offset, ret, error)
                              : map_flat(reader, node, offset, ret, error)))
        return FALSE;
    /* An index can lead back to an extent that ends before it comes here. */
    if (offset < ret->offset || offset - ret->offset >= ret->length)
        return erofs_damaged_content(error, node->nid, offset, "its extent does not reach it");
    reader->extents[packed] = *ret;
    reader->extent_nids[packed] = node->nid;
    return TRUE;
}

gboolean erofs_reader_map(
        ErofsReader *reader, const ErofsNode *node, guint64 offset, ErofsExtent *ret, GError **error) {
    if (offset >= node->size) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "EROFS, inode %" G_GUINT64_FORMAT ": byte %" G_GUINT64_FORMAT " is behind its end",
                node->nid, offset);
        return FALSE;
    }
    return erofs_extent_find(reader, node, FALSE, offset, ret, error);
}

/* Bytes. */

/* The content of a cluster: one that was decompressed lately, or the least recently used place. */
static const guint8 *get_cluster(
        ErofsReader *reader, guint64 nid, const ErofsExtent *extent, GError **error) {
    ErofsContent *oldest = &reader->clusters[0];
    for (guint i = 0; i < EROFS_N_CLUSTERS; i++) {
        ErofsContent *content = &reader->clusters[i];
        if (content->extent.length >= extent->length && content->extent.where == extent->where &&
                content->extent.stored == extent->stored && content->extent.algorithm == extent->algorithm) {
            content->used = ++reader->time;
            return content->bytes;
        }
        if (content->used < oldest->used)
            oldest = content;
    }
    oldest->extent.length = 0;
    if (oldest->room < extent->length) {
        g_free(oldest->bytes);
        oldest->bytes = g_malloc(extent->length);
        oldest->room = extent->length;
    }
    if (!erofs_decompress(reader, nid, extent, oldest->bytes, error))
        return NULL;
    oldest->extent = *extent;
    oldest->used = ++reader->time;
    return oldest->bytes;
}

/* Reads SIZE bytes, SKIP bytes after the start of EXTENT, which is not in the packed inode. */
static gboolean read_stored(ErofsReader *reader, const ErofsNode *node, gboolean packed,
        const ErofsExtent *extent, guint64 skip, guint8 *out, gsize size, GError **error) {
    if (extent->storage == EROFS_STORED_HOLE) {
        memset(out, 0, size);
        return TRUE;
    }
    if (extent->storage == EROFS_STORED_PLAIN && extent->rotate == 0)
        return erofs_image_read(reader->image, node->nid, extent->where + skip, out, size, error);
    if (extent->storage == EROFS_STORED_PLAIN) {
        guint64 at = (extent->rotate + skip) % extent->stored;
        gsize first = MIN(size, extent->stored - at);
        return erofs_image_read(reader->image, node->nid, extent->where + at, out, first, error) &&
               erofs_image_read(reader->image, node->nid, extent->where, out + first, size - first, error);
    }
    /* A whole cluster is decompressed to where it is wanted, unless small files share it. */
    if (!packed && size == extent->length)
        return erofs_decompress(reader, node->nid, extent, out, error);
    const guint8 *bytes = get_cluster(reader, node->nid, extent, error);
    if (!bytes)
        return FALSE;
    memcpy(out, bytes + skip, size);
    return TRUE;
}

/* Reads SIZE bytes at OFFSET, which are within the inode's size. Extents in the packed inode are left to
 * READ_PACKED; the packed inode itself can have none. */
typedef gboolean (*ReadPacked)(
        ErofsReader *reader, guint64 nid, guint64 offset, guint8 *out, gsize size, GError **error);

static gboolean read_range(ErofsReader *reader, const ErofsNode *node, ReadPacked read_packed,
        guint64 offset, guint8 *out, gsize size, GError **error) {
    gboolean packed = !read_packed;
    while (size > 0) {
        ErofsExtent extent;
        if (!erofs_extent_find(reader, node, packed, offset, &extent, error))
            return FALSE;
        guint64 skip = offset - extent.offset;
        gsize n = MIN(size, extent.length - skip);
        if (extent.storage == EROFS_STORED_PACKED && packed)
            return erofs_damaged_content(
                    error, node->nid, offset, "the packed inode refers to the packed inode");
        if (extent.storage == EROFS_STORED_PACKED
                        ? !read_packed(reader, node->nid, extent.where + skip, out, n, error)
                        : !read_stored(reader, node, packed, &extent, skip, out, n, error))
            return FALSE;
        out += n;
        offset += n;
        size -= n;
    }
    return TRUE;
}

static gboolean read_packed_range(
        ErofsReader *reader, guint64 nid, guint64 offset, guint8 *out, gsize size, GError **error) {
    const ErofsNode *packed = erofs_reader_get_packed(reader, nid, error);
    if (!packed)
        return FALSE;
    if (offset > packed->size || size > packed->size - offset)
        return erofs_damaged_content(error, nid, 0,
                "it is at byte %" G_GUINT64_FORMAT " of the packed inode, which has %" G_GUINT64_FORMAT
                " bytes",
                offset, packed->size);
    return read_range(reader, packed, NULL, offset, out, size, error);
}

gboolean erofs_reader_read(ErofsReader *reader, const ErofsNode *node, guint64 offset, void *buffer,
        gsize size, gsize *ret_length, GError **error) {
    gsize length = offset < node->size ? MIN(size, node->size - offset) : 0;
    if (ret_length)
        *ret_length = length;
    else if (length < size) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                "EROFS, inode %" G_GUINT64_FORMAT ": it has %" G_GUINT64_FORMAT
                " bytes, too few for %" G_GSIZE_FORMAT " at byte %" G_GUINT64_FORMAT,
                node->nid, node->size, size, offset);
        return FALSE;
    }
    return read_range(reader, node, read_packed_range, offset, buffer, length, error);
}

/* Streams. */

static gboolean stream_extent(ErofsReader *reader, const ErofsNode *node, const ErofsExtent *extent,
        guint8 *buffer, ErofsSink sink, gpointer data, GError **error) {
    if (extent->storage == EROFS_STORED_HOLE)
        return sink(data, NULL, extent->length, error);
    if (extent->storage == EROFS_STORED_COMPRESSED) {
        const guint8 *bytes = get_cluster(reader, node->nid, extent, error);
        return bytes && sink(data, bytes, extent->length, error);
    }
    for (guint64 done = 0; done < extent->length;) {
        gsize n = MIN(PIECE_SIZE, extent->length - done);
        if (!erofs_reader_read(reader, node, extent->offset + done, buffer, n, NULL, error) ||
                !sink(data, buffer, n, error))
            return FALSE;
        done += n;
    }
    return TRUE;
}

gboolean erofs_reader_stream(
        ErofsReader *reader, const ErofsNode *node, ErofsSink sink, gpointer data, GError **error) {
    g_autofree guint8 *buffer = g_malloc(MIN(MAX(node->size, 1), PIECE_SIZE));
    for (guint64 offset = 0; offset < node->size;) {
        ErofsExtent extent;
        if (!erofs_extent_find(reader, node, FALSE, offset, &extent, error))
            return FALSE;
        /* So that the sink gets exactly as many bytes as the file has. */
        if (extent.offset != offset)
            return erofs_damaged_content(error, node->nid, offset, "its extents overlap");
        if (!stream_extent(reader, node, &extent, buffer, sink, data, error))
            return FALSE;
        offset = extent.offset + extent.length;
    }
    return TRUE;
}
