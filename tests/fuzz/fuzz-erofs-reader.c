/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* EROFS file systems: every inode of the tree, its attributes, and the start and the end of its content. The
 * superblock's checksum is mended first: it would keep the fuzzer from everything behind it. */
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crc32c.h"
#include "format/erofs/erofs-reader.h"

#define INODES_MAX 200
#define CONTENT_MAX 65536
#define STREAM_MAX (1024u * 1024)
#define BYTES_MAX (16u * 1024 * 1024) /* of extents in all */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean read_bytes(gpointer data, guint64 offset, void *buffer, gsize size, GError **error) {
    memcpy(buffer, *(const guint8 **) data + offset, size);
    return TRUE;
}

/* The block size decides how much the checksum is of; as in the reader. */
static void mend_checksum(guint8 *image, gsize size) {
    ErofsSuperblock super;
    if (size < EROFS_SUPER_OFFSET + sizeof super)
        return;
    memcpy(&super, image + EROFS_SUPER_OFFSET, sizeof super);
    if (super.block_bits > 16)
        return;
    gsize block = (gsize) 1 << super.block_bits;
    gsize length = block > EROFS_SUPER_OFFSET ? block - EROFS_SUPER_OFFSET : block;
    if (length > size - EROFS_SUPER_OFFSET || length < sizeof super)
        return;
    super.checksum = 0;
    memcpy(image + EROFS_SUPER_OFFSET, &super, sizeof super);
    super.checksum = GUINT32_TO_LE(crc32c_update(~0u, image + EROFS_SUPER_OFFSET, length));
    memcpy(image + EROFS_SUPER_OFFSET, &super, sizeof super);
}

static gboolean count_bytes(gpointer data, const void *bytes, guint64 size, GError **error) {
    *(guint64 *) data += size;
    return TRUE;
}

static void read_parts(ErofsReader *reader, const ErofsNode *node, guint64 *bytes) {
    g_autofree guint8 *buffer = g_malloc(CONTENT_MAX);
    gsize n;
    guint64 end = node->size > CONTENT_MAX ? node->size - CONTENT_MAX / 2 : 0;
    if (erofs_reader_read(reader, node, 0, buffer, CONTENT_MAX, &n, NULL))
        g_assert_cmpuint(n, ==, MIN(node->size, CONTENT_MAX));
    (void) !erofs_reader_read(reader, node, end, buffer, CONTENT_MAX, &n, NULL);
    guint64 streamed = 0;
    if (node->size <= STREAM_MAX && erofs_reader_stream(reader, node, count_bytes, &streamed, NULL))
        g_assert_cmpuint(streamed, ==, node->size);
    g_assert_cmpuint(streamed, <=, node->size);
    for (guint64 at = 0; at < node->size && *bytes < BYTES_MAX;) {
        ErofsExtent extent;
        if (!erofs_reader_map(reader, node, at, &extent, NULL))
            return;
        /* Extents follow each other and have a length. */
        g_assert_cmpuint(extent.offset, <=, at);
        g_assert_cmpuint(extent.length, >, at - extent.offset);
        g_assert_cmpuint(extent.length, <=, node->size - extent.offset);
        at = extent.offset + extent.length;
        *bytes += MIN(extent.length, 4096);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree guint8 *copy = g_memdup2(data, MAX(size, 1));
    mend_checksum(copy, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(ErofsImage) image = erofs_image_new(read_bytes, &copy, NULL, size, &error);
    g_assert_true(image || error);
    if (!image)
        return 0;
    g_autoptr(ErofsReader) reader = erofs_reader_new(image);
    ErofsNode node;
    guint64 bytes = 0;
    if (!erofs_reader_lookup(reader, "", &node, NULL))
        return 0;
    g_autoptr(ErofsWalk) walk = erofs_walk_new(reader, &node);
    const char *path;
    for (guint i = 0; i < INODES_MAX && (path = erofs_walk_next(walk, &node, NULL)); i++) {
        read_parts(reader, &node, &bytes);
        g_autoptr(GPtrArray) attributes = erofs_reader_attributes(reader, &node, NULL);
        g_autofree char *target = S_ISLNK(node.mode) ? erofs_reader_readlink(reader, &node, NULL) : NULL;
        ErofsNode found;
        if (erofs_reader_lookup(reader, path, &found, NULL))
            g_assert_cmpuint(found.nid, ==, node.nid);
    }
    return 0;
}
