/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The superblock and what follows it. */
#include <string.h>

#include "base/crc32c.h"
#include "base/io.h"
#include "format/erofs/erofs-reader-internal.h"

#define BLOCK_BITS_MIN 9
#define BLOCK_BITS_MAX 16
#define ZSTD_WINDOW_BASE 10
#define ZSTD_WINDOW_LOG_MAX 20
#define LZMA_DICTIONARY_MAX (8u * 1024 * 1024)
#define CONFIG_MAX 64
#define NO_INODE G_MAXUINT64

/* What is wrong with an image that this reader does not know. */
static const struct {
    guint32 bit;
    const char *name; /* NULL: it is known */
} incompatible_features[] = {
        {EROFS_INCOMPAT_ZERO_PADDING, NULL},
        {EROFS_INCOMPAT_COMPRESSION_CONFIGS, NULL},
        {EROFS_INCOMPAT_CHUNKS, NULL},
        {EROFS_INCOMPAT_SECOND_HEAD, NULL},
        {EROFS_INCOMPAT_INLINE_CLUSTERS, NULL},
        {EROFS_INCOMPAT_FRAGMENTS, NULL},
        {EROFS_INCOMPAT_XATTR_PREFIXES, NULL},
        {EROFS_INCOMPAT_48_BIT, "48bit (addresses of 48 bits)"},
        {EROFS_INCOMPAT_METABOX, "metabox (metadata in an inode)"},
};

/* Errors. */

static void set_error(GError **error, int code, guint64 nid, guint64 at, const char *of, const char *format,
        va_list args) {
    g_autofree char *what = g_strdup_vprintf(format, args);
    if (nid == NO_INODE)
        g_set_error(error, G_IO_ERROR, code, "EROFS, byte %" G_GUINT64_FORMAT "%s: %s", at, of, what);
    else
        g_set_error(error, G_IO_ERROR, code,
                "EROFS, inode %" G_GUINT64_FORMAT ", byte %" G_GUINT64_FORMAT "%s: %s", nid, at, of, what);
}

gboolean erofs_damaged(GError **error, guint64 nid, guint64 at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    set_error(error, G_IO_ERROR_INVALID_DATA, nid, at, "", format, args);
    va_end(args);
    return FALSE;
}

gboolean erofs_damaged_content(GError **error, guint64 nid, guint64 at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    set_error(error, G_IO_ERROR_INVALID_DATA, nid, at, " of its content", format, args);
    va_end(args);
    return FALSE;
}

gboolean erofs_unsupported(GError **error, guint64 nid, guint64 at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    set_error(error, G_IO_ERROR_NOT_SUPPORTED, nid, at, "", format, args);
    va_end(args);
    return FALSE;
}

/* Bytes. */

gboolean erofs_image_read(
        const ErofsImage *image, guint64 nid, guint64 at, void *buffer, gsize size, GError **error) {
    if (at > image->size || size > image->size - at)
        return erofs_damaged(error, nid, at,
                "%" G_GSIZE_FORMAT " bytes from there are not all in the file"
                " system of %" G_GUINT64_FORMAT " bytes",
                size, image->size);
    return image->read(image->data, at, buffer, size, error);
}

typedef struct {
    int fd;
    guint64 offset;
} FdSource;

static gboolean read_fd(gpointer data, guint64 offset, void *buffer, gsize size, GError **error) {
    const FdSource *source = data;
    return pread_all(source->fd, buffer, size, source->offset + offset, error);
}

/* The superblock. */

static gboolean check_features(guint32 features, GError **error) {
    guint64 at = EROFS_SUPER_OFFSET + G_STRUCT_OFFSET(ErofsSuperblock, feature_incompat);
    g_autoptr(GString) unsupported = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(incompatible_features); i++) {
        if (features & incompatible_features[i].bit && incompatible_features[i].name)
            g_string_append_printf(
                    unsupported, "%s%s", unsupported->len ? ", " : "", incompatible_features[i].name);
        features &= ~incompatible_features[i].bit;
    }
    if (features)
        g_string_append_printf(unsupported, "%sunknown bits 0x%x", unsupported->len ? ", " : "", features);
    if (unsupported->len > 0)
        return erofs_unsupported(
                error, NO_INODE, at, "features that are not supported: %s", unsupported->str);
    return TRUE;
}

/* The checksum is of the rest of the superblock's block. */
static gboolean check_checksum(const ErofsImage *image, guint32 expected, GError **error) {
    guint32 block_size = image->info.block_size;
    gsize size = block_size > EROFS_SUPER_OFFSET ? block_size - EROFS_SUPER_OFFSET : block_size;
    g_autofree guint8 *block = g_malloc(size);
    if (!erofs_image_read(image, NO_INODE, EROFS_SUPER_OFFSET, block, size, error))
        return FALSE;
    memset(block + G_STRUCT_OFFSET(ErofsSuperblock, checksum), 0, sizeof expected);
    if (crc32c_update(~0u, block, size) != expected)
        return erofs_damaged(error, NO_INODE, EROFS_SUPER_OFFSET, "the superblock's checksum is wrong");
    return TRUE;
}

static gboolean check_superblock(const ErofsSuperblock *super, guint64 size, GError **error) {
    guint64 at = EROFS_SUPER_OFFSET;
    if (GUINT32_FROM_LE(super->magic) != EROFS_SUPER_MAGIC)
        return erofs_damaged(error, NO_INODE, at, "no EROFS superblock");
    if (!check_features(GUINT32_FROM_LE(super->feature_incompat), error))
        return FALSE;
    if (super->block_bits < BLOCK_BITS_MIN || super->block_bits > BLOCK_BITS_MAX)
        return erofs_unsupported(error, NO_INODE, at + G_STRUCT_OFFSET(ErofsSuperblock, block_bits),
                "blocks of 1 << %u bytes; 512 to 65536 are supported", super->block_bits);
    if (super->directory_block_bits != 0)
        return erofs_unsupported(error, NO_INODE,
                at + G_STRUCT_OFFSET(ErofsSuperblock, directory_block_bits),
                "directory blocks of another size than blocks");
    if (super->extra_devices != 0)
        return erofs_unsupported(error, NO_INODE, at + G_STRUCT_OFFSET(ErofsSuperblock, extra_devices),
                "its contents are on further devices");
    guint64 bytes = (guint64) GUINT32_FROM_LE(super->blocks) << super->block_bits;
    if (bytes > size)
        return erofs_damaged(error, NO_INODE, at,
                "the file system has %" G_GUINT64_FORMAT " bytes, of which only %" G_GUINT64_FORMAT
                " are there",
                bytes, size);
    return TRUE;
}

static void take_superblock(ErofsImage *image, const ErofsSuperblock *super) {
    ErofsImageInfo *info = &image->info;
    image->block_bits = super->block_bits;
    info->block_size = 1u << super->block_bits;
    info->blocks = GUINT32_FROM_LE(super->blocks);
    info->inodes = GUINT64_FROM_LE(super->inodes);
    info->epoch = (gint64) GUINT64_FROM_LE(super->epoch);
    info->epoch_nsec = GUINT32_FROM_LE(super->epoch_nsec);
    memcpy(info->uuid, super->uuid, sizeof info->uuid);
    memcpy(info->label, super->label, sizeof super->label);
    info->compatible = GUINT32_FROM_LE(super->feature_compat);
    info->incompatible = GUINT32_FROM_LE(super->feature_incompat);
    info->root_nid = GUINT16_FROM_LE(super->root_nid);
    if (info->incompatible & EROFS_INCOMPAT_FRAGMENTS)
        info->packed_nid = GUINT64_FROM_LE(super->packed_nid);
    image->size = info->blocks << super->block_bits;
    image->meta = (guint64) GUINT32_FROM_LE(super->meta_block) << super->block_bits;
    image->shared_attributes = (guint64) GUINT32_FROM_LE(super->xattr_block) << super->block_bits;
    image->zero_padding = info->incompatible & EROFS_INCOMPAT_ZERO_PADDING;
}

/* Configurations of the algorithms. */

static gboolean take_config(
        ErofsImage *image, ErofsAlgorithm algorithm, const guint8 *bytes, gsize size, GError **error) {
    guint64 at = EROFS_SUPER_OFFSET + sizeof(ErofsSuperblock);
    if (algorithm == EROFS_ALGORITHM_LZMA) {
        ErofsLzmaConfig config = {0};
        memcpy((guint8 *) &config + sizeof config.size, bytes,
                MIN(size, sizeof config - sizeof config.size));
        image->lzma_dictionary = GUINT32_FROM_LE(config.dictionary_size);
        if (config.format != 0 || image->lzma_dictionary > LZMA_DICTIONARY_MAX)
            return erofs_unsupported(error, NO_INODE, at, "LZMA of format %u with a dictionary of %u bytes",
                    GUINT16_FROM_LE(config.format), image->lzma_dictionary);
    } else if (algorithm == EROFS_ALGORITHM_ZSTD) {
        ErofsZstdConfig config = {0};
        memcpy((guint8 *) &config + sizeof config.size, bytes,
                MIN(size, sizeof config - sizeof config.size));
        image->zstd_window_log = ZSTD_WINDOW_BASE + config.window_log;
        if (config.format != 0 || config.window_log > ZSTD_WINDOW_LOG_MAX - ZSTD_WINDOW_BASE)
            return erofs_unsupported(error, NO_INODE, at, "zstd of format %u with a window of 1 << %u bytes",
                    config.format, ZSTD_WINDOW_BASE + config.window_log);
    }
    return TRUE;
}

static gboolean read_configs(ErofsImage *image, const ErofsSuperblock *super, GError **error) {
    if (!(image->info.incompatible & EROFS_INCOMPAT_COMPRESSION_CONFIGS)) {
        image->info.algorithms = 1u << EROFS_ALGORITHM_LZ4;
        return TRUE;
    }
    image->info.algorithms = GUINT16_FROM_LE(super->algorithms);
    if (image->info.algorithms >> EROFS_N_ALGORITHMS)
        return erofs_unsupported(error, NO_INODE,
                EROFS_SUPER_OFFSET + G_STRUCT_OFFSET(ErofsSuperblock, algorithms),
                "the algorithms 0x%x are not all known", image->info.algorithms);
    guint64 at = EROFS_SUPER_OFFSET + sizeof *super + 16u * super->extension_slots;
    for (ErofsAlgorithm i = 0; i < EROFS_N_ALGORITHMS; i++) {
        if (!(image->info.algorithms & 1u << i))
            continue;
        guint16 size;
        guint8 bytes[CONFIG_MAX];
        if (!erofs_image_read(image, NO_INODE, at, &size, sizeof size, error))
            return FALSE;
        size = GUINT16_FROM_LE(size);
        if (size == 0 || size > sizeof bytes)
            return erofs_damaged(error, NO_INODE, at, "a configuration of %u bytes", size);
        if (!erofs_image_read(image, NO_INODE, at + 2, bytes, size, error) ||
                !take_config(image, i, bytes, size, error))
            return FALSE;
        at += 2 + size;
    }
    return TRUE;
}

/* Long prefixes of names of attributes. */

/* They are in the packed inode, if there is one and the superblock does not say otherwise. */
static gboolean read_prefixes(ErofsImage *image, const ErofsSuperblock *super, GError **error) {
    image->prefixes = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    if (!(image->info.incompatible & EROFS_INCOMPAT_XATTR_PREFIXES))
        return TRUE;
    gboolean in_packed =
            image->info.packed_nid != 0 && !(image->info.compatible & EROFS_COMPAT_PLAIN_PREFIXES);
    guint64 at = (guint64) GUINT32_FROM_LE(super->xattr_prefix_start) * 4;
    g_autoptr(ErofsReader) reader = erofs_reader_new(image);
    const ErofsNode *packed = in_packed ? erofs_reader_get_packed(reader, NO_INODE, error) : NULL;
    if (in_packed && !packed)
        return FALSE;
    for (guint i = 0; i < super->xattr_prefix_count; i++) {
        guint8 bytes[2 + G_MAXUINT8 + 1];
        gsize size = 2;
        for (guint part = 0; part < 2; part++) {
            if (in_packed ? !erofs_reader_read(reader, packed, at, bytes, size, NULL, error)
                          : !erofs_image_read(image, NO_INODE, at, bytes, size, error))
                return FALSE;
            size = 2 + (bytes[0] | (gsize) bytes[1] << 8);
            if (size == 2 || size > sizeof bytes)
                return erofs_damaged(error, NO_INODE, at, "a prefix of attributes of %zu bytes", size - 2);
        }
        if (memchr(bytes + 3, 0, size - 3))
            return erofs_damaged(error, NO_INODE, at, "a prefix of attributes with a zero byte");
        g_ptr_array_add(image->prefixes, g_bytes_new(bytes + 2, size - 2));
        at += (size + 3) & ~(guint64) 3;
    }
    return TRUE;
}

ErofsImage *erofs_image_new(
        ErofsReadBytes read, gpointer data, GDestroyNotify free_data, guint64 size, GError **error) {
    g_autoptr(ErofsImage) image = g_new0(ErofsImage, 1);
    image->read = read;
    image->data = data;
    image->free_data = free_data;
    image->size = size;
    ErofsSuperblock super;
    if (!erofs_image_read(image, NO_INODE, EROFS_SUPER_OFFSET, &super, sizeof super, error) ||
            !check_superblock(&super, size, error))
        return NULL;
    take_superblock(image, &super);
    if (image->info.compatible & EROFS_COMPAT_SB_CHECKSUM &&
            !check_checksum(image, GUINT32_FROM_LE(super.checksum), error))
        return NULL;
    if (!read_configs(image, &super, error) || !read_prefixes(image, &super, error))
        return NULL;
    return g_steal_pointer(&image);
}

ErofsImage *erofs_image_new_fd(int fd, guint64 offset, guint64 size, GError **error) {
    FdSource *source = g_new(FdSource, 1);
    *source = (FdSource){.fd = fd, .offset = offset};
    return erofs_image_new(read_fd, source, g_free, size, error);
}

void erofs_image_free(ErofsImage *image) {
    if (image->free_data)
        image->free_data(image->data);
    if (image->prefixes)
        g_ptr_array_unref(image->prefixes);
    g_free(image);
}

const ErofsImageInfo *erofs_image_get_info(const ErofsImage *image) {
    return &image->info;
}
