/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Readers, their metadata, and inodes. */
#include <string.h>
#include <sys/stat.h>

#include "format/erofs/erofs-reader-internal.h"

#define SYMLINK_MAX 4095

ErofsReader *erofs_reader_new(const ErofsImage *image) {
    ErofsReader *reader = g_new0(ErofsReader, 1);
    reader->image = image;
    for (guint i = 0; i < EROFS_N_PAGES; i++)
        reader->pages[i].start = G_MAXUINT64;
    return reader;
}

void erofs_reader_free(ErofsReader *reader) {
    for (guint i = 0; i < EROFS_N_PAGES; i++)
        g_free(reader->pages[i].bytes);
    for (guint i = 0; i < EROFS_N_CLUSTERS; i++)
        g_free(reader->clusters[i].bytes);
    g_free(reader->input);
    erofs_decompressors_free(reader->decompressors);
    g_free(reader);
}

/* The page with byte AT, which is in the image. */
static const ErofsPage *find_page(ErofsReader *reader, guint64 nid, guint64 at, GError **error) {
    guint64 start = at - at % EROFS_PAGE_SIZE;
    ErofsPage *page = &reader->pages[at / EROFS_PAGE_SIZE % EROFS_N_PAGES];
    if (page->start == start)
        return page;
    if (!page->bytes)
        page->bytes = g_malloc(EROFS_PAGE_SIZE);
    page->start = G_MAXUINT64;
    page->length = MIN(EROFS_PAGE_SIZE, reader->image->size - start);
    if (!erofs_image_read(reader->image, nid, start, page->bytes, page->length, error))
        return NULL;
    page->start = start;
    return page;
}

gboolean erofs_reader_read_metadata(
        ErofsReader *reader, guint64 nid, guint64 at, void *buffer, gsize size, GError **error) {
    guint64 limit = reader->image->size;
    if (at > limit || size > limit - at)
        return erofs_damaged(error, nid, at,
                "metadata of %" G_GSIZE_FORMAT " bytes is not in the file system of %" G_GUINT64_FORMAT
                " bytes",
                size, limit);
    for (guint8 *out = buffer; size > 0;) {
        const ErofsPage *page = find_page(reader, nid, at, error);
        if (!page)
            return FALSE;
        gsize skip = at - page->start, n = MIN(size, page->length - skip);
        memcpy(out, page->bytes + skip, n);
        out += n;
        at += n;
        size -= n;
    }
    return TRUE;
}

static void take_compact(const ErofsImage *image, const ErofsCompactInode *inode, ErofsNode *ret) {
    ret->size = GUINT32_FROM_LE(inode->size);
    ret->nlink = GUINT16_FROM_LE(inode->nlink);
    ret->uid = GUINT16_FROM_LE(inode->uid);
    ret->gid = GUINT16_FROM_LE(inode->gid);
    ret->mtime = (gint64) ((guint64) image->info.epoch + GUINT32_FROM_LE(inode->mtime));
    ret->mtime_nsec = image->info.epoch_nsec;
}

static void take_extended(const ErofsExtendedInode *inode, ErofsNode *ret) {
    ret->size = GUINT64_FROM_LE(inode->size);
    ret->nlink = GUINT32_FROM_LE(inode->nlink);
    ret->uid = GUINT32_FROM_LE(inode->uid);
    ret->gid = GUINT32_FROM_LE(inode->gid);
    ret->mtime = GINT64_FROM_LE(inode->mtime);
    ret->mtime_nsec = GUINT32_FROM_LE(inode->mtime_nsec);
}

/* Major numbers have 12 bits, minor ones 20, of which the upper 12 are above the major number. */
static gboolean finish_type(ErofsNode *node, guint64 at, GError **error) {
    switch (node->mode & S_IFMT) {
    case S_IFCHR:
    case S_IFBLK:
        node->device_major = node->where >> 8 & 0xfff;
        node->device_minor = (node->where & 0xff) | (node->where >> 12 & 0xfff00);
        break;
    case S_IFREG:
    case S_IFDIR:
    case S_IFLNK:
        if (node->size > G_MAXINT64)
            return erofs_damaged(error, node->nid, at, "a size of %" G_GUINT64_FORMAT " bytes", node->size);
        return TRUE;
    case S_IFIFO:
    case S_IFSOCK:
        break;
    default:
        return erofs_damaged(error, node->nid, at, "the mode 0%o is of no type of file", node->mode);
    }
    node->size = 0;
    return TRUE;
}

gboolean erofs_reader_get(ErofsReader *reader, guint64 nid, ErofsNode *ret, GError **error) {
    const ErofsImage *image = reader->image;
    guint64 at = image->meta + nid * EROFS_SLOT_SIZE;
    union { /* mode, place and number are where the compact one has them */
        ErofsCompactInode compact;
        ErofsExtendedInode extended;
    } inode;
    if (nid > image->size / EROFS_SLOT_SIZE)
        return erofs_damaged(error, nid, image->size, "there is no such inode");
    if (!erofs_reader_read_metadata(reader, nid, at, &inode.compact, sizeof inode.compact, error))
        return FALSE;
    guint16 format = GUINT16_FROM_LE(inode.compact.format);
    gboolean extended = format & EROFS_FORMAT_EXTENDED;
    gsize size = extended ? sizeof inode.extended : sizeof inode.compact;
    if (extended && !erofs_reader_read_metadata(reader, nid, at, &inode.extended, size, error))
        return FALSE;

    *ret = (ErofsNode){.nid = nid, .layout = format >> EROFS_FORMAT_LAYOUT_SHIFT};
    if (ret->layout > EROFS_LAYOUT_CHUNKS)
        return erofs_unsupported(error, nid, at, "the format 0x%x of an inode is not known", format);
    ret->mode = GUINT16_FROM_LE(inode.compact.mode);
    ret->where = GUINT32_FROM_LE(inode.compact.where);
    ret->ino = GUINT32_FROM_LE(inode.compact.ino);
    if (extended)
        take_extended(&inode.extended, ret);
    else
        take_compact(image, &inode.compact, ret);
    if (ret->mtime_nsec >= 1000000000)
        return erofs_damaged(error, nid, at, "a time with %u nanoseconds", ret->mtime_nsec);
    guint16 words = GUINT16_FROM_LE(inode.compact.xattr_count);
    ret->attributes = at + size;
    ret->attributes_size = words > 0 ? sizeof(ErofsXattrHeader) + 4 * (words - 1) : 0;
    return finish_type(ret, at, error);
}

const ErofsNode *erofs_reader_get_packed(ErofsReader *reader, guint64 nid, GError **error) {
    if (reader->has_packed)
        return &reader->packed;
    guint64 packed = reader->image->info.packed_nid;
    if (packed == 0) {
        erofs_damaged_content(error, nid, 0, "it is in the packed inode, but there is none");
        return NULL;
    }
    if (!erofs_reader_get(reader, packed, &reader->packed, error))
        return NULL;
    if (!S_ISREG(reader->packed.mode)) {
        erofs_damaged_content(error, packed, 0, "the packed inode is no regular file");
        return NULL;
    }
    reader->has_packed = TRUE;
    return &reader->packed;
}

char *erofs_reader_readlink(ErofsReader *reader, const ErofsNode *node, GError **error) {
    if (!S_ISLNK(node->mode)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "EROFS, inode %" G_GUINT64_FORMAT ": it is no symlink", node->nid);
        return NULL;
    }
    if (node->size == 0 || node->size > SYMLINK_MAX) {
        erofs_damaged_content(
                error, node->nid, 0, "a symlink's target of %" G_GUINT64_FORMAT " bytes", node->size);
        return NULL;
    }
    g_autofree char *target = g_malloc0(node->size + 1);
    if (!erofs_reader_read(reader, node, 0, target, node->size, NULL, error))
        return NULL;
    if (strlen(target) != node->size) {
        erofs_damaged_content(error, node->nid, strlen(target), "a symlink's target with a zero byte");
        return NULL;
    }
    return g_steal_pointer(&target);
}
