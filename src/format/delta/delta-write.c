/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/delta/delta.h"

#include <zstd.h>

#include "base/little-endian.h"

#define MAGIC "PosDelta"
#define VERSION 1
#define INDEX_LEVEL 19

static void put(GByteArray *index, guint64 value) {
    do {
        guint8 byte = (guint8) ((value & 127) | (value > 127 ? 128 : 0));
        g_byte_array_append(index, &byte, 1);
        value >>= 7;
    } while (value > 0);
}

static void put_pieces(GByteArray *index, const Delta *delta) {
    guint64 end = 0;

    put(index, delta->pieces->len);
    for (guint i = 0; i < delta->pieces->len; i++) {
        const DeltaPiece *piece = &g_array_index(delta->pieces, DeltaPiece, i);
        const guint64 numbers[] = {
                piece->kind, piece->level, piece->offset - end, piece->stored, piece->content, piece->filled};
        for (guint j = 0; j < G_N_ELEMENTS(numbers); j++)
            put(index, numbers[j]);
        end = piece->offset + piece->stored;
    }
}

static void put_references(GByteArray *index, const Delta *delta, const DeltaUnit *unit) {
    put(index, unit->n_references);
    for (guint i = 0; i < unit->n_references; i++) {
        const DeltaReference *reference = &g_array_index(delta->references, DeltaReference, unit->first_reference + i);
        const guint64 numbers[] = {reference->place, reference->packing, reference->object, reference->object_size,
                reference->offset, reference->length};
        for (guint j = 0; j < G_N_ELEMENTS(numbers); j++)
            put(index, numbers[j]);
    }
}

static void put_member(GByteArray *index, const Delta *delta, const DeltaMember *member) {
    const DeltaXz *xz = &member->xz;
    const guint64 numbers[] = {xz->preset, xz->check, xz->lc, xz->lp, xz->pb, xz->dictionary, xz->block, xz->size};

    put(index, member->length);
    put(index, member->is_xz ? 1 : 0);
    for (guint i = 0; member->is_xz && i < G_N_ELEMENTS(numbers); i++)
        put(index, numbers[i]);
    put(index, member->n_segments);
    for (guint i = 0; i < member->n_segments; i++) {
        const DeltaSegment *segment = &g_array_index(delta->segments, DeltaSegment, member->first_segment + i);
        put(index, segment->from);
        put(index, segment->to);
        put(index, segment->length);
    }
}

static void put_units(GByteArray *index, const Delta *delta) {
    put(index, delta->units->len);
    for (guint i = 0; i < delta->units->len; i++) {
        const DeltaUnit *unit = &g_array_index(delta->units, DeltaUnit, i);
        put(index, unit->packed);
        put_references(index, delta, unit);
        put(index, unit->n_members);
        for (guint j = 0; j < unit->n_members; j++)
            put_member(index, delta, &g_array_index(delta->members, DeltaMember, unit->first_member + j));
    }
}

static void append_le64(GByteArray *bytes, guint64 value) {
    append_le32(bytes, (guint32) value);
    append_le32(bytes, (guint32) (value >> 32));
}

GBytes *delta_write(const Delta *delta, GError **error) {
    g_autoptr(GByteArray) index = g_byte_array_new(), out = g_byte_array_new();

    put_pieces(index, delta);
    put_units(index, delta);
    gsize room = ZSTD_compressBound(index->len);
    g_autofree guint8 *packed = g_malloc(room);
    size_t n = ZSTD_compress(packed, room, index->data, index->len, INDEX_LEVEL);
    if (ZSTD_isError(n) || index->len > DELTA_INDEX_MAX) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "the index of the delta is too large");
        return NULL;
    }
    g_byte_array_append(out, (const guint8 *) MAGIC, strlen(MAGIC));
    append_le32(out, VERSION);
    append_le32(out, delta->kind);
    g_byte_array_append(out, delta->old_id, DELTA_ID_SIZE);
    g_byte_array_append(out, delta->new_id, DELTA_ID_SIZE);
    append_le64(out, delta->new_size);
    append_le32(out, (guint32) n);
    append_le32(out, index->len);
    g_byte_array_append(out, packed, (guint) n);
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}
