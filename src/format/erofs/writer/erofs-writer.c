/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/erofs/writer/erofs-writer.h"

#include <string.h>

#include "base/crc32c.h"
#include "format/erofs/erofs-format.h"
#include "format/erofs/writer/erofs-compress.h"
#include "format/erofs/writer/erofs-data.h"
#include "format/erofs/writer/erofs-label.h"
#include "format/erofs/writer/erofs-metadata.h"
#include "format/erofs/writer/erofs-tree.h"

#define LEVEL_DEFAULT 5

struct ErofsWriter {
    ErofsOptions options;
    char label[16];
    int output_fd;
    ErofsTree *tree;
};

static gboolean option_error(GError **error, const char *what) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "EROFS: %s", what);
    return FALSE;
}

static gboolean check_options(const ErofsOptions *options, GError **error) {
    guint32 cluster = options->cluster_size;
    if (cluster != 0 &&
            (cluster < 2 * EROFS_BLOCK_SIZE || cluster > EROFS_CLUSTER_SIZE_MAX || cluster & (cluster - 1)))
        return option_error(error, "the cluster size must be a power of two from 8 KiB to 1 MiB");
    if (options->compression == EROFS_COMPRESSION_ZSTD && (options->level < 0 || options->level > 22))
        return option_error(error, "the level of zstd must be from 1 to 22");
    if (options->label && strlen(options->label) > 15)
        return option_error(error, "the label may have at most 15 bytes");
    return TRUE;
}

ErofsWriter *erofs_writer_new(int output_fd, const ErofsOptions *options, GError **error) {
    if (!check_options(options, error))
        return NULL;
    ErofsWriter *writer = g_new0(ErofsWriter, 1);
    writer->options = *options;
    if (options->label)
        memcpy(writer->label, options->label, strlen(options->label));
    writer->options.label = writer->label;
    writer->output_fd = output_fd;
    writer->tree = erofs_tree_new(options->build_time, options->clamp_mtime);
    return writer;
}

void erofs_writer_free(ErofsWriter *writer) {
    if (!writer)
        return;
    erofs_tree_free(writer->tree);
    g_free(writer);
}

gboolean erofs_writer_add_tree(ErofsWriter *writer, int root_fd, const char *source_path,
        const char *target_path, ErofsFilter filter, gpointer data, GError **error) {
    return erofs_tree_add(writer->tree, root_fd, source_path, target_path, filter, data, error);
}

gboolean erofs_writer_add_directory(ErofsWriter *writer, const char *path, mode_t mode, uid_t uid, gid_t gid,
        gint64 mtime, GError **error) {
    return erofs_tree_add_directory(writer->tree, path, mode, uid, gid, mtime, error);
}

gboolean erofs_writer_add_symlink(ErofsWriter *writer, const char *path, const char *target, uid_t uid,
        gid_t gid, gint64 mtime, GError **error) {
    return erofs_tree_add_symlink(writer->tree, path, target, uid, gid, mtime, error);
}

gboolean erofs_writer_set_root_xattr(ErofsWriter *writer, const char *name, GBytes *value, GError **error) {
    return erofs_xattr_set(writer->tree->xattrs, &writer->tree->root->xattrs, name, value, error);
}

gboolean erofs_writer_label(ErofsWriter *writer, ErofsLabel label, gpointer data, GError **error) {
    return erofs_tree_label(writer->tree, label, data, error);
}

static ErofsDataOptions data_options(const ErofsWriter *writer) {
    const ErofsOptions *options = &writer->options;
    guint32 cluster = options->cluster_size > 0 ? options->cluster_size : EROFS_CLUSTER_SIZE_DEFAULT;
    return (ErofsDataOptions){
            .compression = options->compression,
            .level = options->level > 0 ? options->level : LEVEL_DEFAULT,
            .cluster_size = cluster,
            .fragment_max = cluster / 2,
            .packed_min = cluster / 2,
            .packed_max = cluster,
            .threads = options->threads,
            .store = options->store,
            .maker = options->maker ? options->maker : "",
            .cancelled = options->cancelled,
            .cancelled_data = options->cancelled_data,
    };
}

static gboolean write_superblock(const ErofsWriter *writer, ErofsOutput *output,
        const ErofsMetadata *metadata, guint64 n_inodes, GError **error) {
    const ErofsOptions *options = &writer->options;
    guint8 block[EROFS_BLOCK_SIZE] = {0};
    ErofsSuperblock super = {
            .magic = GUINT32_TO_LE(EROFS_SUPER_MAGIC),
            .feature_compat = GUINT32_TO_LE(EROFS_COMPAT_SB_CHECKSUM | EROFS_COMPAT_MTIME),
            .block_bits = EROFS_BLOCK_BITS,
            .root_nid = GUINT16_TO_LE(metadata->root_nid),
            .inodes = GUINT64_TO_LE(n_inodes),
            .epoch = GUINT64_TO_LE((guint64) options->build_time),
            .blocks = GUINT32_TO_LE(output->next_block),
            .meta_block = GUINT32_TO_LE(metadata->meta_block),
            .xattr_block = GUINT32_TO_LE(metadata->xattr_block),
            .packed_nid = GUINT64_TO_LE(metadata->packed_nid),
    };
    memcpy(super.uuid, options->uuid, sizeof super.uuid);
    memcpy(super.label, writer->label, sizeof super.label);
    if (options->compression == EROFS_COMPRESSION_ZSTD) {
        ErofsDataOptions data = data_options(writer);
        guint32 incompat = EROFS_INCOMPAT_ZERO_PADDING | EROFS_INCOMPAT_COMPRESSION_CONFIGS |
                           (metadata->packed_nid > 0 ? EROFS_INCOMPAT_FRAGMENTS : 0);
        super.feature_incompat = GUINT32_TO_LE(incompat);
        super.algorithms = GUINT16_TO_LE(1u << EROFS_ALGORITHM_ZSTD);
        ErofsZstdConfig config = {
                .size = GUINT16_TO_LE(sizeof config - sizeof config.size),
                .window_log = erofs_window_log(MAX(data.cluster_size, data.packed_max)) - 10,
        };
        memcpy(block + EROFS_SUPER_OFFSET + sizeof super, &config, sizeof config);
    }
    memcpy(block + EROFS_SUPER_OFFSET, &super, sizeof super);
    guint32 checksum = crc32c_update(~0u, block + EROFS_SUPER_OFFSET, sizeof block - EROFS_SUPER_OFFSET);
    ((ErofsSuperblock *) (block + EROFS_SUPER_OFFSET))->checksum = GUINT32_TO_LE(checksum);

    if (options->verity)
        verity_tree_update(options->verity, 0, block, 1);
    return erofs_output_write(output, 0, block, 1, NULL, error);
}

gboolean erofs_writer_finish(ErofsWriter *writer, guint64 *ret_size, GError **error) {
    const ErofsOptions *options = &writer->options;
    ErofsDataOptions data = data_options(writer);
    guint64 max_blocks = options->max_size > 0 ? options->max_size / EROFS_BLOCK_SIZE : G_MAXUINT32 - 1;
    ErofsOutput output = {
            .fd = writer->output_fd,
            .offset = options->output_offset,
            .max_blocks = MIN(max_blocks, G_MAXUINT32 - 1),
            .next_block = 1, /* after the superblock */
            .verity = options->verity,
    };
    g_autoptr(GPtrArray) inodes = erofs_tree_finish(writer->tree);
    g_autoptr(GByteArray) shared_xattrs = erofs_xattr_table_share(writer->tree->xattrs);
    ErofsInode *packed = erofs_tree_make_inode(writer->tree, S_IFREG | 0600, 0, 0);
    packed->nlink = 1;
    packed->ino = inodes->len + 1;

    ErofsMetadata metadata;
    if (!erofs_data_write(&output, &data, inodes, packed, error) ||
            !erofs_metadata_write(&output, writer->tree, inodes, packed, shared_xattrs, &metadata, error) ||
            !write_superblock(writer, &output, &metadata, inodes->len, error) ||
            !erofs_output_clear_rest(&output, error)) {
        g_prefix_error(error, "writing the EROFS file system: ");
        return FALSE;
    }
    *ret_size = (guint64) output.next_block * EROFS_BLOCK_SIZE;
    return TRUE;
}
