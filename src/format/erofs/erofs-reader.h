/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reads EROFS file systems without mounting them.
 *
 * Specification: the kernel's Documentation/filesystems/erofs.rst and the on-disk format at
 * https://erofs.docs.kernel.org/en/latest/ondisk/index.html (core on-disk format, chunk-based files,
 * compressed data, extended attributes).
 *
 * What is read: compact and extended inodes of every kind; contents that are plain, with an inline tail, in
 * chunks, or compressed with LZ4, MicroLZMA, DEFLATE or Zstandard, with full or compact indexes, clusters of
 * several blocks, inline tails of compressed data, fragments in the packed inode, and extents that share a
 * part of a cluster; extended attributes in the inode, in the shared area, and with long prefixes; blocks of
 * 512 bytes to 64 KiB.
 * What is refused by name: addresses of 48 bits, the metadata area in an inode (metabox), further devices,
 * and every incompatible feature that is not known.
 *
 * The bytes are those of a stranger. Every address, size and count is checked before it is used. Nothing
 * recurses. Memory is bounded: per reader 4 clusters of at most 12 MiB each (the limit of the kernel),
 * 1 MiB of compressed input, the window of a decompressor (8 MiB at most) and 256 KiB of metadata; a walk
 * adds 16 bytes or so per directory and a block per level. Directories that contain themselves or each other
 * are an error. The size of a file is what its inode says: a caller that stores contents decides how much is
 * too much before it reads them.
 *
 * Errors are of the domain G_IO_ERROR: G_IO_ERROR_INVALID_DATA for damage, G_IO_ERROR_NOT_SUPPORTED for what
 * this reader does not know, G_IO_ERROR_NOT_FOUND and G_IO_ERROR_NOT_DIRECTORY for paths, and whatever
 * reading the image gave. They name the inode and the byte.
 *
 * An ErofsImage never changes after it was opened: any number of threads may use it, each with an
 * ErofsReader of its own.
 */

#include <gio/gio.h>

#include "format/erofs/erofs-format.h"

/* The image. */

typedef struct ErofsImage ErofsImage;

/*
 * Reads exactly SIZE bytes at OFFSET of the image, which are within its size, into BUFFER. Called from every
 * thread that reads.
 */
typedef gboolean (*ErofsReadBytes)(gpointer data, guint64 offset, void *buffer, gsize size, GError **error);

typedef struct {
    guint32 block_size;
    guint64 blocks;
    guint64 inodes;
    gint64 epoch; /* seconds; the time of compact inodes */
    guint32 epoch_nsec;
    guint8 uuid[16]; /* in textual byte order */
    char label[17];
    guint32 compatible; /* feature bits */
    guint32 incompatible;
    guint32 algorithms; /* 1 << ErofsAlgorithm of those that files may use */
    guint64 root_nid;
    guint64 packed_nid; /* 0: there is none */
} ErofsImageInfo;

/*
 * Opens the file system that starts at byte 0 of what READ gives, SIZE bytes at most. The superblock's
 * checksum, if there is one, is checked. DATA is freed with FREE_DATA (may be NULL), also if this fails.
 */
ErofsImage *erofs_image_new(
        ErofsReadBytes read, gpointer data, GDestroyNotify free_data, guint64 size, GError **error);

/* The same for the SIZE bytes at OFFSET of FD, a file or block device. FD is borrowed and must stay open. */
ErofsImage *erofs_image_new_fd(int fd, guint64 offset, guint64 size, GError **error);

void erofs_image_free(ErofsImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ErofsImage, erofs_image_free)

const ErofsImageInfo *erofs_image_get_info(const ErofsImage *image);

/* Readers: one per thread. */

/* Decompressors and what they decompressed last. Cheap until used. */
typedef struct ErofsReader ErofsReader;

/* IMAGE is borrowed and must outlive the reader. */
ErofsReader *erofs_reader_new(const ErofsImage *image);
void erofs_reader_free(ErofsReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ErofsReader, erofs_reader_free)

/* Inodes. */

/* A plain value: it holds nothing that needs freeing and may be copied to other threads. */
typedef struct {
    guint64 nid;
    guint32 mode; /* type and permissions, as st_mode */
    guint32 uid;
    guint32 gid;
    guint32 nlink;
    guint32 ino; /* only a number; hard links have equal nids */
    guint64 size;
    gint64 mtime;
    guint32 mtime_nsec;
    guint32 device_major; /* of device nodes */
    guint32 device_minor;

    /* Of the reader. */
    guint16 layout;
    guint32 where;
    guint64 attributes; /* byte after the inode */
    guint32 attributes_size;
} ErofsNode;

/* The inode with the number NID. */
gboolean erofs_reader_get(
        ErofsReader *reader, guint64 nid, ErofsNode *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The inode at PATH from the root ("" or "/" is the root itself). Symlinks are not followed: one in the
 * middle is G_IO_ERROR_NOT_DIRECTORY. "." and ".." are names that no directory has.
 */
gboolean erofs_reader_lookup(
        ErofsReader *reader, const char *path, ErofsNode *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Contents. */

/*
 * Reads SIZE bytes at OFFSET of the content of NODE (a file, symlink or directory); fewer only at its end.
 * RET_LENGTH: how many; may be NULL, then fewer are an error (G_IO_ERROR_PARTIAL_INPUT).
 */
gboolean erofs_reader_read(ErofsReader *reader, const ErofsNode *node, guint64 offset, void *buffer,
        gsize size, gsize *ret_length, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Gets the content piece by piece, in order. BYTES NULL: SIZE zero bytes of a hole. May not use the reader
 * that calls it. FALSE ends the reading with its error.
 */
typedef gboolean (*ErofsSink)(gpointer data, const void *bytes, guint64 size, GError **error);

/* Hands all of the content of NODE to SINK. Each cluster is decompressed once. */
gboolean erofs_reader_stream(ErofsReader *reader, const ErofsNode *node, ErofsSink sink, gpointer data,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Target of the symlink NODE: 1 to 4095 bytes. NULL and an error if it is none. */
char *erofs_reader_readlink(ErofsReader *reader, const ErofsNode *node, GError **error);

/* Where contents are. */

typedef enum {
    EROFS_STORED_HOLE,       /* nowhere: zeros */
    EROFS_STORED_PLAIN,      /* as it is */
    EROFS_STORED_COMPRESSED, /* a cluster */
    EROFS_STORED_PACKED,     /* part of the content of the packed inode */
} ErofsStorage;

/* A stretch of a file that is stored in one way. */
typedef struct {
    guint64 offset; /* in the file */
    guint64 length; /* there */
    ErofsStorage storage;
    guint64 where;  /* byte of the image, or of the packed inode's content */
    guint64 stored; /* bytes there */
    guint32 rotate; /* plain: the content starts at this byte of what is stored and goes on at its start */
    ErofsAlgorithm algorithm; /* of a cluster */
    gboolean partial;         /* the cluster has more content than this */
} ErofsExtent;

/*
 * The extent of NODE that contains OFFSET, which is less than the size. The next one starts at its end. This
 * is what a program needs that compares images by clusters: the packed inode (see ErofsImageInfo) has
 * extents like any file.
 */
gboolean erofs_reader_map(ErofsReader *reader, const ErofsNode *node, guint64 offset, ErofsExtent *ret,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Extended attributes. */

typedef struct {
    char *name; /* in full: "user.name" */
    GBytes *value;
} ErofsAttribute;

/* Those of NODE, sorted by name: an array of ErofsAttribute. Two of one name are damage. */
GPtrArray *erofs_reader_attributes(ErofsReader *reader, const ErofsNode *node, GError **error);

/* Directories. */

typedef struct {
    const char *name; /* until the next entry is read */
    guint64 nid;
    guint8 type; /* EROFS_TYPE_* of erofs-format.h */
} ErofsEntry;

/* The entries of a directory, a block at a time. */
typedef struct ErofsDirectory ErofsDirectory;

/* READER is borrowed; it may be used for other things in between. An error if NODE is no directory. */
ErofsDirectory *erofs_directory_new(ErofsReader *reader, const ErofsNode *node, GError **error);
void erofs_directory_free(ErofsDirectory *directory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ErofsDirectory, erofs_directory_free)

/*
 * The next entry, in the order of names as bytes, without "." and ".."; NULL at the end, or with ERROR set.
 * Checked: order (so that no name comes twice and the kernel finds each), names, and that "." is the
 * directory itself.
 */
const ErofsEntry *erofs_directory_next(ErofsDirectory *directory, GError **error);

/* The whole tree. */

typedef struct ErofsWalk ErofsWalk;

/* Below and including the directory (or anything else) TOP. READER as above. */
ErofsWalk *erofs_walk_new(ErofsReader *reader, const ErofsNode *top);
void erofs_walk_free(ErofsWalk *walk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ErofsWalk, erofs_walk_free)

/*
 * The next path from TOP on, without a slash at its start: TOP itself is "", a directory comes before its
 * entries, entries come in the order of names as bytes. RET_NODE: its inode. Returns NULL at the end, or
 * with ERROR set; the string is valid until the next call.
 *
 * Checked: the type that an entry gives is that of its inode; ".." is the directory above; no directory
 * comes twice; at most 2048 levels; all directories together are not larger than 64 MiB and 16 times the
 * image.
 */
const char *erofs_walk_next(ErofsWalk *walk, ErofsNode *ret_node, GError **error);
