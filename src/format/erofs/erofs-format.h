/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The on-disk format of EROFS, as far as we write or read it. All numbers are little-endian.
 * Specification: https://erofs.docs.kernel.org/en/latest/ondisk/index.html
 *
 * Inodes live in the metadata area in slots of 32 bytes; the number of a slot is the inode's number (nid).
 * An inode is followed by its xattrs, then by its data index (compressed) or its inline tail (uncompressed).
 */

#include <assert.h>
#include <glib.h>
#include <sys/stat.h>

#define EROFS_SUPER_OFFSET 1024
#define EROFS_SUPER_MAGIC 0xE0F5E1E2u
#define EROFS_BLOCK_BITS 12
#define EROFS_SLOT_SIZE 32
#define EROFS_NAME_MAX 255

#define EROFS_COMPAT_SB_CHECKSUM 0x1u
#define EROFS_COMPAT_MTIME 0x2u
#define EROFS_COMPAT_PLAIN_PREFIXES 0x10u /* long xattr prefixes are not in the packed inode */

#define EROFS_INCOMPAT_ZERO_PADDING 0x1u
#define EROFS_INCOMPAT_COMPRESSION_CONFIGS 0x2u /* also: clusters of several blocks */
#define EROFS_INCOMPAT_CHUNKS 0x4u
#define EROFS_INCOMPAT_SECOND_HEAD 0x8u /* also: further devices */
#define EROFS_INCOMPAT_INLINE_CLUSTERS 0x10u
#define EROFS_INCOMPAT_FRAGMENTS 0x20u /* also: extents that share clusters */
#define EROFS_INCOMPAT_XATTR_PREFIXES 0x40u
#define EROFS_INCOMPAT_48_BIT 0x80u
#define EROFS_INCOMPAT_METABOX 0x100u

typedef struct {
    guint32 magic;
    guint32 checksum; /* CRC-32C of the block from the superblock on, with this field zero */
    guint32 feature_compat;
    guint8 block_bits;
    guint8 extension_slots;
    guint16 root_nid;
    guint64 inodes;
    guint64 epoch; /* the mtime of compact inodes */
    guint32 epoch_nsec;
    guint32 blocks;
    guint32 meta_block;
    guint32 xattr_block;
    guint8 uuid[16];
    char label[16];
    guint32 feature_incompat;
    guint16 algorithms;
    guint16 extra_devices;
    guint16 device_table;
    guint8 directory_block_bits;
    guint8 xattr_prefix_count;
    guint32 xattr_prefix_start;
    guint64 packed_nid;
    guint8 reserved[24];
} __attribute__((packed)) ErofsSuperblock;
static_assert(sizeof(ErofsSuperblock) == 128, "superblock");

/* Bits of the superblock's algorithms are 1 << these. */
typedef enum {
    EROFS_ALGORITHM_LZ4 = 0,
    EROFS_ALGORITHM_LZMA = 1, /* "MicroLZMA": no header, no end marker */
    EROFS_ALGORITHM_DEFLATE = 2,
    EROFS_ALGORITHM_ZSTD = 3,
    EROFS_N_ALGORITHMS,
} ErofsAlgorithm;

/* Follows the superblock: one for each algorithm, each with its size in front. */
typedef struct {
    guint16 size; /* 6 */
    guint8 format;
    guint8 window_log; /* minus 10 */
    guint8 reserved[4];
} __attribute__((packed)) ErofsZstdConfig;
static_assert(sizeof(ErofsZstdConfig) == 8, "zstd configuration");

/* Likewise, all with their size in front. */
typedef struct {
    guint16 size; /* 14 */
    guint16 max_distance;
    guint16 max_blocks;
    guint8 reserved[10];
} __attribute__((packed)) ErofsLz4Config;
static_assert(sizeof(ErofsLz4Config) == 16, "LZ4 configuration");

typedef struct {
    guint16 size; /* 14 */
    guint32 dictionary_size;
    guint16 format;
    guint8 reserved[8];
} __attribute__((packed)) ErofsLzmaConfig;
static_assert(sizeof(ErofsLzmaConfig) == 16, "LZMA configuration");

typedef struct {
    guint16 size; /* 6 */
    guint8 window_bits;
    guint8 reserved[5];
} __attribute__((packed)) ErofsDeflateConfig;
static_assert(sizeof(ErofsDeflateConfig) == 8, "DEFLATE configuration");

/* Data layouts, in bits 1 to 3 of an inode's format. Bit 0: extended inode. */
typedef enum {
    EROFS_LAYOUT_PLAIN = 0,
    EROFS_LAYOUT_COMPRESSED_FULL = 1, /* with an index of 8 bytes per block */
    EROFS_LAYOUT_INLINE = 2,          /* the last, partial block follows the inode */
    EROFS_LAYOUT_COMPRESSED = 3,
    EROFS_LAYOUT_CHUNKS = 4,
} ErofsLayout;

#define EROFS_FORMAT_EXTENDED 0x1u
#define EROFS_FORMAT_LAYOUT_SHIFT 1

typedef struct {
    guint16 format;
    guint16 xattr_count; /* 0, or 1 + the words that follow the xattr header */
    guint16 mode;
    guint16 nlink;
    guint32 size;
    guint32 mtime; /* seconds after the epoch; 0 from writers before Linux 6.15 */
    guint32 where; /* first block, device number, format of chunks, or number of blocks if compressed */
    guint32 ino;
    guint16 uid;
    guint16 gid;
    guint32 reserved2;
} __attribute__((packed)) ErofsCompactInode;
static_assert(sizeof(ErofsCompactInode) == 32, "compact inode");

typedef struct {
    guint16 format;
    guint16 xattr_count;
    guint16 mode;
    guint16 reserved1;
    guint64 size;
    guint32 where;
    guint32 ino;
    guint32 uid;
    guint32 gid;
    gint64 mtime;
    guint32 mtime_nsec;
    guint32 nlink;
    guint8 reserved2[16];
} __attribute__((packed)) ErofsExtendedInode;
static_assert(sizeof(ErofsExtendedInode) == 64, "extended inode");

/* Xattrs of an inode: header, ids of shared entries (32 bits each), entries. */
typedef struct {
    guint32 name_filter;
    guint8 shared_count;
    guint8 reserved[7];
} __attribute__((packed)) ErofsXattrHeader;
static_assert(sizeof(ErofsXattrHeader) == 12, "xattr header");

#define EROFS_XATTR_LONG_PREFIX 0x80u /* the rest of the index is the number of a long prefix */

/* Followed by name (without the prefix that NAME_INDEX stands for) and value, padded to 4 bytes. */
typedef struct {
    guint8 name_size;
    guint8 name_index;
    guint16 value_size;
} __attribute__((packed)) ErofsXattrEntry;
static_assert(sizeof(ErofsXattrEntry) == 4, "xattr entry");

/*
 * Directories are sequences of blocks, each of which starts with its entries, followed by their names.
 * Entries are sorted by name (as bytes), "." and ".." among them.
 */
typedef struct {
    guint64 nid;
    guint16 name_offset;
    guint8 file_type;
    guint8 reserved;
} __attribute__((packed)) ErofsDirent;
static_assert(sizeof(ErofsDirent) == 12, "directory entry");

enum {
    EROFS_TYPE_REGULAR = 1,
    EROFS_TYPE_DIRECTORY,
    EROFS_TYPE_CHAR_DEVICE,
    EROFS_TYPE_BLOCK_DEVICE,
    EROFS_TYPE_FIFO,
    EROFS_TYPE_SOCKET,
    EROFS_TYPE_SYMLINK,
};

/* In front of the index of a compressed file, aligned to 8 bytes. */
typedef struct {
    guint32 fragment_offset; /* in the packed inode */
    guint16 advise;
    guint8 algorithms; /* of head type 1 in the lower half */
    guint8 cluster_bits;
} __attribute__((packed)) ErofsMapHeader;
static_assert(sizeof(ErofsMapHeader) == 8, "map header");

#define EROFS_ADVISE_COMPACT_2B 0x1u
#define EROFS_ADVISE_BIG_CLUSTER_1 0x2u
#define EROFS_ADVISE_BIG_CLUSTER_2 0x4u
#define EROFS_ADVISE_INLINE_CLUSTER 0x8u /* the last cluster follows the index */
#define EROFS_ADVISE_INTERLACED 0x10u    /* raw blocks are rotated to their offset in the file */
#define EROFS_ADVISE_FRAGMENT 0x20u

/* A map header with this bit is nothing but the offset in the packed inode of the whole file. */
#define EROFS_MAP_WHOLE_FRAGMENT (G_GUINT64_CONSTANT(1) << 63)

/* What a logical block of a compressed file is. */
typedef enum {
    EROFS_CLUSTER_PLAIN = 0,
    EROFS_CLUSTER_HEAD = 1,
    EROFS_CLUSTER_NONHEAD = 2,
    EROFS_CLUSTER_HEAD_2 = 3, /* with the second algorithm */
} ErofsClusterType;

/* In the distance of the first block after a head: its other bits are the head's number of physical blocks.
 */
#define EROFS_CLUSTER_COUNT_BIT 0x800u

/* An entry of a full index. It starts 8 bytes after the map header. */
typedef struct {
    guint16 type;   /* and EROFS_CLUSTER_PARTIAL */
    guint16 offset; /* of a head in its logical block */
    union {
        guint32 block;       /* of a head */
        guint16 distance[2]; /* back to the head, forth to the next one */
    } __attribute__((packed));
} __attribute__((packed)) ErofsFullEntry;
static_assert(sizeof(ErofsFullEntry) == 8, "full index entry");

#define EROFS_CLUSTER_PARTIAL 0x8000u /* the cluster has more content than this extent uses */

/* Limits of clusters that the kernel has. */
#define EROFS_CLUSTER_STORED_MAX (1024u * 1024)
#define EROFS_CLUSTER_CONTENT_MAX (12u * 1024 * 1024)

/* The format of a file of chunks, where others have their first block. */
#define EROFS_CHUNK_BITS_MASK 0x1fu
#define EROFS_CHUNK_INDEXES 0x20u /* entries of 8 bytes rather than of 4 */

#define EROFS_NO_BLOCK G_MAXUINT32 /* a hole */

typedef struct {
    guint16 reserved;
    guint16 device;
    guint32 block;
} __attribute__((packed)) ErofsChunkEntry;
static_assert(sizeof(ErofsChunkEntry) == 8, "chunk entry");

/* The type that an entry of a directory gives an inode of MODE; 0: there is none. */
static inline guint8 erofs_type_of(guint32 mode) {
    switch (mode & S_IFMT) {
    case S_IFREG:
        return EROFS_TYPE_REGULAR;
    case S_IFDIR:
        return EROFS_TYPE_DIRECTORY;
    case S_IFCHR:
        return EROFS_TYPE_CHAR_DEVICE;
    case S_IFBLK:
        return EROFS_TYPE_BLOCK_DEVICE;
    case S_IFIFO:
        return EROFS_TYPE_FIFO;
    case S_IFSOCK:
        return EROFS_TYPE_SOCKET;
    case S_IFLNK:
        return EROFS_TYPE_SYMLINK;
    default:
        return 0;
    }
}
