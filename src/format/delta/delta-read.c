/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From bytes that nobody vouches for to a Delta whose every number is in its bounds. */

#include "format/delta/delta.h"

#include <string.h>
#include <zstd.h>

#include "base/io.h"
#include "base/little-endian.h"
#include "format/erofs/writer/erofs-writer.h"

#define MAGIC "PosDelta"
#define VERSION 1
#define NEW_SIZE_MAX (G_GUINT64_CONSTANT(1) << 40)
#define LEVEL_MAX 22

static gboolean damaged(GError **error, const char *what) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the delta is damaged: %s", what);
    return FALSE;
}

/* ---- numbers ---- */

typedef struct {
    const guint8 *at, *end;
    gboolean bad;
} Numbers;

/* A number of at most MAX. What is wrong once stays wrong. */
static guint64 take(Numbers *numbers, guint64 max) {
    guint64 value = 0;

    for (guint shift = 0; shift < 63; shift += 7) {
        if (numbers->at == numbers->end)
            break;
        guint8 byte = *numbers->at++;
        value |= (guint64) (byte & 127) << shift;
        if (byte & 128)
            continue;
        if (value > max)
            break;
        return value;
    }
    numbers->bad = TRUE;
    numbers->at = numbers->end;
    return 0;
}

/* How many things follow, each of at least EACH bytes. */
static guint take_count(Numbers *numbers, gsize each) {
    return (guint) take(numbers, (guint64) (numbers->end - numbers->at) / each);
}

/* ---- the index ---- */

static gboolean take_pieces(Numbers *numbers, Delta *delta) {
    guint n = take_count(numbers, 6);
    guint64 end = 0;

    for (guint i = 0; i < n && !numbers->bad; i++) {
        DeltaPiece piece = {.kind = (DeltaPieceKind) take(numbers, DELTA_PIECE_STREAM), .start = delta->content};
        piece.level = (guint) take(numbers, LEVEL_MAX);
        piece.offset = end + take(numbers, delta->new_size - end);
        piece.stored = take(numbers, delta->new_size - piece.offset);
        piece.content = take(numbers, piece.kind == DELTA_PIECE_STREAM ? DELTA_WORK_MAX
                                      : piece.kind == DELTA_PIECE_RAW  ? piece.stored
                                                                       : EROFS_CLUSTER_SIZE_MAX);
        piece.filled = take(numbers, piece.content);
        end = piece.offset + piece.stored;
        gboolean blocks = piece.offset % EROFS_BLOCK_SIZE == 0 && piece.stored % EROFS_BLOCK_SIZE == 0;
        if (piece.stored == 0 || piece.content == 0 || piece.filled == 0 ||
                (piece.kind == DELTA_PIECE_CLUSTER && (!blocks || piece.stored >= piece.content)) ||
                (piece.kind == DELTA_PIECE_RAW && piece.stored > EROFS_CLUSTER_SIZE_MAX) ||
                (delta->kind == DELTA_VOLUME && (!blocks || piece.kind == DELTA_PIECE_STREAM)))
            return FALSE;
        delta->content += piece.content;
        g_array_append_val(delta->pieces, piece);
    }
    return !numbers->bad;
}

static gboolean take_references(Numbers *numbers, Delta *delta, DeltaUnit *unit) {
    unit->first_reference = delta->references->len;
    unit->n_references = take_count(numbers, 6);
    for (guint i = 0; i < unit->n_references && !numbers->bad; i++) {
        DeltaReference reference = {.place = (DeltaPlace) take(numbers, DELTA_NEW_INODE)};
        reference.packing = (DeltaPacking) take(numbers, DELTA_ZSTD);
        reference.object = take(numbers, NEW_SIZE_MAX);
        reference.object_size = take(numbers, NEW_SIZE_MAX);
        reference.offset = take(numbers, NEW_SIZE_MAX);
        reference.length = take(numbers, DELTA_UNIT_MAX - unit->references);
        if ((reference.packing == DELTA_ZSTD && reference.place != DELTA_OLD_BYTES) ||
                (reference.packing == DELTA_XZ && reference.place == DELTA_OLD_BYTES) ||
                (reference.place == DELTA_NEW_INODE && delta->kind == DELTA_VOLUME))
            return FALSE;
        unit->references += reference.length;
        g_array_append_val(delta->references, reference);
    }
    return !numbers->bad;
}

static gboolean take_segments(Numbers *numbers, Delta *delta, DeltaMember *member) {
    guint64 size = member->is_xz ? member->xz.size : member->length;

    member->first_segment = delta->segments->len;
    member->n_segments = take_count(numbers, 3);
    for (guint i = 0; i < member->n_segments && !numbers->bad; i++) {
        DeltaSegment segment = {.from = take(numbers, size)};
        segment.to = take(numbers, delta->content);
        segment.length = take(numbers, MIN(size - segment.from, delta->content - segment.to));
        if (segment.length == 0)
            return FALSE;
        g_array_append_val(delta->segments, segment);
    }
    return !numbers->bad;
}

static gboolean take_members(Numbers *numbers, Delta *delta, DeltaUnit *unit) {
    unit->first_member = delta->members->len;
    unit->n_members = take_count(numbers, 3);
    for (guint i = 0; i < unit->n_members && !numbers->bad; i++) {
        DeltaMember member = {.length = take(numbers, DELTA_UNIT_MAX - unit->length)};
        member.is_xz = take(numbers, 1) == 1;
        if (member.is_xz) {
            member.xz.preset = (guint32) take(numbers, G_MAXUINT32);
            member.xz.check = (guint) take(numbers, 15);
            member.xz.lc = (guint) take(numbers, 4);
            member.xz.lp = (guint) take(numbers, 4);
            member.xz.pb = (guint) take(numbers, 4);
            member.xz.dictionary = (guint32) take(numbers, DELTA_DICTIONARY_MAX);
            member.xz.block = (guint32) take(numbers, DELTA_UNIT_MAX);
            member.xz.size = take(numbers, DELTA_OBJECT_MAX);
        }
        unit->length += member.length;
        if (!take_segments(numbers, delta, &member))
            return FALSE;
        g_array_append_val(delta->members, member);
    }
    return !numbers->bad && unit->length > 0;
}

/* SIZE: of the whole delta; AT: where frames begin. */
static gboolean take_units(Numbers *numbers, Delta *delta, guint64 at, guint64 size) {
    guint n = take_count(numbers, 5);
    guint64 work = 0, most = delta->new_size * DELTA_WORK_FACTOR + DELTA_UNIT_MAX;

    for (guint i = 0; i < n && !numbers->bad; i++) {
        DeltaUnit unit = {.offset = at};
        unit.packed = take(numbers, size - at);
        if (!take_references(numbers, delta, &unit) || !take_members(numbers, delta, &unit))
            return FALSE;
        at += unit.packed;
        work += unit.length + unit.references;
        if (work > most)
            return FALSE;
        g_array_append_val(delta->units, unit);
    }
    return !numbers->bad && at == size;
}

/* ---- the whole ---- */

static Delta *parse_header(const guint8 *header, GError **error) {
    if (memcmp(header, MAGIC, strlen(MAGIC)) != 0) {
        damaged(error, "it does not begin as one");
        return NULL;
    }
    if (read_le32(header + 8) != VERSION || read_le32(header + 12) > DELTA_FILE) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "a delta of version %u and kind %u",
                read_le32(header + 8), read_le32(header + 12));
        return NULL;
    }
    g_autoptr(Delta) delta = delta_new((DeltaKind) read_le32(header + 12));
    memcpy(delta->old_id, header + 16, DELTA_ID_SIZE);
    memcpy(delta->new_id, header + 48, DELTA_ID_SIZE);
    delta->new_size = read_le64(header + 80);
    if (delta->new_size > NEW_SIZE_MAX) {
        damaged(error, "its result is too large");
        return NULL;
    }
    return g_steal_pointer(&delta);
}

/* The index, unpacked. */
static guint8 *read_index(int fd, guint64 size, gsize packed_size, gsize index_size, GError **error) {
    if (packed_size > size - DELTA_HEADER_SIZE || packed_size > DELTA_INDEX_MAX || index_size > DELTA_INDEX_MAX) {
        damaged(error, "its index is too large");
        return NULL;
    }
    g_autofree guint8 *packed = g_malloc(MAX(packed_size, 1)), *index = g_malloc(MAX(index_size, 1));
    if (!pread_all(fd, packed, packed_size, DELTA_HEADER_SIZE, error))
        return NULL;
    size_t n = ZSTD_decompress(index, index_size, packed, packed_size);
    if (ZSTD_isError(n) || n != index_size) {
        damaged(error, "its index cannot be unpacked");
        return NULL;
    }
    return g_steal_pointer(&index);
}

Delta *delta_read(int fd, guint64 size, GError **error) {
    guint8 header[DELTA_HEADER_SIZE];

    if (size < sizeof header) {
        damaged(error, "it is too short");
        return NULL;
    }
    if (!pread_all(fd, header, sizeof header, 0, error))
        return NULL;
    g_autoptr(Delta) delta = parse_header(header, error);
    if (!delta)
        return NULL;
    gsize packed = read_le32(header + 88), n = read_le32(header + 92);
    g_autofree guint8 *index = read_index(fd, size, packed, n, error);
    if (!index)
        return NULL;
    Numbers numbers = {index, index + n, FALSE};
    if (!take_pieces(&numbers, delta) || !take_units(&numbers, delta, sizeof header + packed, size) ||
            numbers.at != numbers.end) {
        damaged(error, "a number of its index is out of bounds");
        return NULL;
    }
    return g_steal_pointer(&delta);
}
