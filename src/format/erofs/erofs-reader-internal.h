/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the EROFS reader share. */

#include "format/erofs/erofs-reader.h"

#define EROFS_N_PAGES 16
#define EROFS_PAGE_SIZE 16384
#define EROFS_N_CLUSTERS 4

struct ErofsImage {
    ErofsReadBytes read;
    gpointer data;
    GDestroyNotify free_data;
    ErofsImageInfo info;
    guint block_bits;
    guint64 size; /* bytes that the superblock speaks of */
    guint64 meta; /* byte of inode 0 */
    guint64 shared_attributes;
    gboolean zero_padding; /* LZ4 data ends at the end of its blocks */
    guint32 lzma_dictionary;
    guint8 zstd_window_log;
    GPtrArray *prefixes; /* GBytes: base index, then the infix */
};

/* A part of the image that was read for its metadata. */
typedef struct {
    guint64 start; /* G_MAXUINT64: nothing */
    gsize length;
    guint8 *bytes;
} ErofsPage;

/* Content that was decompressed. */
typedef struct {
    ErofsExtent extent; /* length 0: nothing */
    guint64 used;       /* when, in a reader's own time */
    guint8 *bytes;
    gsize room;
} ErofsContent;

/* What the header in front of a compressed file's index says. */
typedef struct {
    guint64 nid;
    guint64 size;
    gboolean valid;
    gboolean compact;
    guint16 advise;
    guint8 algorithms;
    gboolean whole_fragment;
    guint64 fragment;  /* in the packed inode */
    guint32 last_size; /* of the inline cluster; 0: there is none */
    guint64 entries;   /* byte of the image */
    guint64 n_logical;
    guint64 initial; /* compact: entries in small packs before those in large ones */
    guint64 large;   /* and in large ones */
    guint64 end;     /* byte after the pack of the last entry */
    guint64 tail;    /* logical block of the head of the inline cluster or fragment; else G_MAXUINT64 */
} ErofsIndex;

struct ErofsReader {
    const ErofsImage *image;
    ErofsPage pages[EROFS_N_PAGES];
    ErofsContent clusters[EROFS_N_CLUSTERS];
    guint64 time;
    guint8 *input;
    struct ErofsDecompressors *decompressors;
    /* The latest of a file [0] and of the packed inode [1]. */
    ErofsIndex indexes[2];
    ErofsExtent extents[2];
    guint64 extent_nids[2];
    ErofsNode packed;
    gboolean has_packed;
};

/* Errors: inode NID, byte AT of the image or of its content. All return FALSE. */
gboolean erofs_damaged(GError **error, guint64 nid, guint64 at, const char *format, ...) G_GNUC_PRINTF(4, 5);
gboolean erofs_damaged_content(GError **error, guint64 nid, guint64 at, const char *format, ...)
        G_GNUC_PRINTF(4, 5);
gboolean erofs_unsupported(GError **error, guint64 nid, guint64 at, const char *format, ...)
        G_GNUC_PRINTF(4, 5);

/* Reads SIZE bytes at AT of the image; what is outside of the file system is damage of the inode NID. */
gboolean erofs_image_read(const ErofsImage *image, guint64 nid, guint64 at, void *buffer, gsize size,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for metadata, through the reader's pages. */
gboolean erofs_reader_read_metadata(ErofsReader *reader, guint64 nid, guint64 at, void *buffer, gsize size,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The packed inode, or an error of the inode NID that refers to it. */
const ErofsNode *erofs_reader_get_packed(ErofsReader *reader, guint64 nid, GError **error);

/* The extent of the compressed file NODE that contains OFFSET. PACKED: it is the packed inode itself. */
gboolean erofs_index_map(ErofsReader *reader, const ErofsNode *node, gboolean packed, guint64 offset,
        ErofsExtent *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a file of any layout. */
gboolean erofs_extent_find(ErofsReader *reader, const ErofsNode *node, gboolean packed, guint64 offset,
        ErofsExtent *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Decompresses the cluster of EXTENT of the inode NID to OUT, which has room for its length. */
gboolean erofs_decompress(ErofsReader *reader, guint64 nid, const ErofsExtent *extent, guint8 *out,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
void erofs_decompressors_free(struct ErofsDecompressors *decompressors);
