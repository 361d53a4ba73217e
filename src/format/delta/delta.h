/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A delta: how to make a file or volume out of an older one, by differences of what is in it before it was compressed.
 *
 *     0  "PosDelta"
 *     8  version (1), 4 bytes, lowest first, like all numbers here
 *    12  kind, 4 bytes: 0 a volume, 1 a file
 *    16  what the old one is: the root hash of a volume, SHA-256 of a file
 *    48  what the new one is, likewise
 *    80  bytes of the new one, 8 bytes
 *    88  bytes of the index as it lies here, 4 bytes
 *    92  bytes of the index, 4 bytes
 *    96  the index, one frame of zstd; behind it the frames of the units
 *
 * The new one is made of pieces: stretches of bytes of it, each made from content. The contents of all pieces, one behind the
 * other, are a space that units fill. A unit is one frame of zstd, compressed with its references in front: stretches of
 * bytes that the device has. What it unpacks to is cut into members. A member may have to be packed as xz before its bytes
 * are what the new one has; segments say which of these bytes go where in the space of contents.
 *
 * The index is of numbers, seven bits to a byte, lowest first, the highest bit says that another byte follows:
 *
 *     pieces: how many; of each: kind, level, bytes of the new one since the end of the piece before, bytes that it takes
 *         there, bytes of content, bytes of it that segments bring (the others are zeros)
 *     units: how many; of each: bytes of its frame, and then
 *         references: how many; of each: place, packing, object, bytes of the object (where it is packed as zstd), first
 *             byte, bytes
 *         members: how many; of each: bytes, whether it becomes xz (1) or not (0); with xz: preset, check, lc, lp, pb, bytes
 *             of the dictionary, of a block, and bytes that come out
 *             segments: how many; of each: first byte of the member, first byte in the space of contents, bytes
 *
 * The bytes are those of a stranger: a delta is never trusted, what comes out of it is compared with the signed hash tree or
 * with the signed manifest. Reading one costs bounded memory and time: see the limits below.
 *
 * Errors are of the domain G_IO_ERROR: G_IO_ERROR_INVALID_DATA for damage and for what breaks a limit,
 * G_IO_ERROR_NOT_SUPPORTED for another version.
 */

#include <gio/gio.h>

#define DELTA_ID_SIZE 32
#define DELTA_HEADER_SIZE 96
#define DELTA_INDEX_MAX (16u << 20)
/* Of one unit: bytes that it unpacks to, bytes of its references, bytes of a packed object. */
#define DELTA_UNIT_MAX (48u << 20)
#define DELTA_OBJECT_MAX (48u << 20)
/* Of xz: what it takes grows with this. */
#define DELTA_DICTIONARY_MAX (4u << 20)
/* A decoded frame of an old file. */
#define DELTA_FRAME_MAX (192u << 20)
/* What all units together unpack to, and all references have, is at most so many times the new one, and this. */
#define DELTA_WORK_FACTOR 12
#define DELTA_WORK_MAX (G_GUINT64_CONSTANT(1) << 30)

typedef enum {
    DELTA_VOLUME,
    DELTA_FILE,
} DeltaKind;

typedef enum {
    DELTA_PIECE_RAW,     /* the content, zeros behind it */
    DELTA_PIECE_CLUSTER, /* the content as a cluster of EROFS: zstd in whole blocks, zeros in front */
    DELTA_PIECE_STREAM,  /* the content as one frame of zstd with check sum, in jobs of 4 MiB; filled in order */
} DeltaPieceKind;

typedef struct {
    DeltaPieceKind kind;
    guint level;
    guint64 offset, stored; /* in the new one */
    guint64 start, content; /* in the space of contents */
    guint64 filled;
} DeltaPiece;

/* Where the bytes of a reference are. */
typedef enum {
    DELTA_OLD_BYTES, /* the old one; OBJECT: a byte of it */
    DELTA_OLD_INODE, /* a file of the old volume; OBJECT: number of its inode */
    DELTA_NEW_INODE, /* of the new volume, when the delta is of a file that comes with one */
} DeltaPlace;

typedef enum {
    DELTA_AS_IT_IS,
    DELTA_XZ,   /* bytes of what the whole object unpacks to */
    DELTA_ZSTD, /* likewise; only of DELTA_OLD_BYTES */
} DeltaPacking;

typedef struct {
    DeltaPlace place;
    DeltaPacking packing;
    guint64 object, object_size;
    guint64 offset, length;
} DeltaReference;

/* How a file was packed with xz: LZMA2 and no other filter. */
typedef struct {
    guint32 preset; /* as of liblzma, with its flag LZMA_PRESET_EXTREME */
    guint check;
    guint lc, lp, pb;
    guint32 dictionary;
    guint32 block; /* content of a block, whose header says its sizes; 0: one block whose header does not */
    guint64 size;  /* that the file has */
} DeltaXz;

typedef struct {
    guint64 from; /* in the member, as xz if it becomes that */
    guint64 to;   /* in the space of contents */
    guint64 length;
} DeltaSegment;

typedef struct {
    guint64 length;
    gboolean is_xz;
    DeltaXz xz;
    guint first_segment, n_segments;
} DeltaMember;

typedef struct {
    guint64 offset; /* of its frame in the delta */
    guint64 packed;
    guint64 length;     /* that it unpacks to: sum of its members */
    guint64 references; /* sum of its references */
    guint first_reference, n_references;
    guint first_member, n_members;
} DeltaUnit;

typedef struct {
    DeltaKind kind;
    guint8 old_id[DELTA_ID_SIZE], new_id[DELTA_ID_SIZE];
    guint64 new_size;
    GArray *pieces;     /* DeltaPiece, rising by offset, none over another */
    GArray *units;      /* DeltaUnit */
    GArray *references; /* DeltaReference */
    GArray *members;    /* DeltaMember */
    GArray *segments;   /* DeltaSegment */
    guint64 content;    /* bytes of the space of contents */
} Delta;

Delta *delta_new(DeltaKind kind);
void delta_free(Delta *delta);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Delta, delta_free)

/* The piece that the byte AT of the space of contents belongs to; AT is in the space. */
const DeltaPiece *delta_find_piece(const Delta *delta, guint64 at);

/* Reads header and index of the delta in FD, a file of SIZE bytes. */
Delta *delta_read(int fd, guint64 size, GError **error);

/* Header and index of DELTA as bytes: what units and pieces have for offset and start is not looked at. */
GBytes *delta_write(const Delta *delta, GError **error);
