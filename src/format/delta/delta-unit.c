/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/delta/delta-unit.h"

#include <zstd.h>

#include "base/io.h"
#include "format/delta/delta-xz.h"

/* Of DELTA_UNIT_MAX bytes of references and as many of content. */
#define WINDOW_LOG_MAX 27
#define FRAME_ROOM 1024

struct DeltaUnpacker {
    const Delta *delta;
    int fd;
    DeltaReader *reader;
    ZSTD_DCtx *zstd;
};

DeltaUnpacker *delta_unpacker_new(const Delta *delta, int fd, const DeltaSources *sources) {
    DeltaUnpacker *unpacker = g_new0(DeltaUnpacker, 1);

    unpacker->delta = delta;
    unpacker->fd = fd;
    unpacker->reader = delta_reader_new(sources);
    unpacker->zstd = ZSTD_createDCtx();
    ZSTD_DCtx_setParameter(unpacker->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    return unpacker;
}

void delta_unpacker_free(DeltaUnpacker *unpacker) {
    if (!unpacker)
        return;
    delta_reader_free(unpacker->reader);
    ZSTD_freeDCtx(unpacker->zstd);
    g_free(unpacker);
}

/* What the frame of UNIT unpacks to. */
static guint8 *unpack_frame(DeltaUnpacker *unpacker, const DeltaUnit *unit, GError **error) {
    g_autofree guint8 *references = NULL, *frame = NULL, *content = NULL;

    if (unit->packed > ZSTD_compressBound(unit->length) + FRAME_ROOM) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the delta has a frame that is too large");
        return NULL;
    }
    references = delta_reader_get_all(unpacker->reader, unpacker->delta, unit, error);
    frame = g_malloc(MAX(unit->packed, 1));
    content = g_malloc(unit->length);
    if (!references || !pread_all(unpacker->fd, frame, unit->packed, unit->offset, error))
        return NULL;
    ZSTD_DCtx_refPrefix(unpacker->zstd, references, unit->references);
    size_t n = ZSTD_decompressDCtx(unpacker->zstd, content, unit->length, frame, unit->packed);
    if (ZSTD_isError(n) || n != unit->length) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "a frame of the delta cannot be unpacked: %s",
                ZSTD_isError(n) ? ZSTD_getErrorName(n) : "it has another length");
        return NULL;
    }
    return g_steal_pointer(&content);
}

static void unref_bytes(gpointer bytes) {
    if (bytes)
        g_bytes_unref(bytes);
}

GPtrArray *delta_unpack(DeltaUnpacker *unpacker, const DeltaUnit *unit, GError **error) {
    guint8 *content = unpack_frame(unpacker, unit, error);

    if (!content)
        return NULL;
    g_autoptr(GBytes) all = g_bytes_new_take(content, unit->length);
    GPtrArray *members = g_ptr_array_new_with_free_func(unref_bytes);
    for (guint64 i = 0, at = 0; i < unit->n_members; i++) {
        const DeltaMember *member = &g_array_index(unpacker->delta->members, DeltaMember, unit->first_member + i);
        if (member->is_xz) {
            g_autofree guint8 *packed = g_malloc(MAX(member->xz.size, 1));
            gboolean ok = delta_xz_pack(&member->xz, content + at, member->length, packed, NULL);
            g_ptr_array_add(members, ok ? g_bytes_new_take(g_steal_pointer(&packed), member->xz.size) : NULL);
        } else
            g_ptr_array_add(members, g_bytes_new_from_bytes(all, at, member->length));
        at += member->length;
    }
    return members;
}

static size_t compress(ZSTD_CCtx *zstd, int level, GByteArray *out, const guint8 *references, gsize n_references,
        const guint8 *content, gsize size) {
    guint window = g_bit_storage(n_references + size);
    const struct {
        ZSTD_cParameter parameter;
        int value;
    } parameters[] = {{ZSTD_c_compressionLevel, level}, {ZSTD_c_windowLog, (int) CLAMP(window, 10, WINDOW_LOG_MAX)}};

    for (gsize i = 0; i < G_N_ELEMENTS(parameters); i++) {
        size_t n = ZSTD_CCtx_setParameter(zstd, parameters[i].parameter, parameters[i].value);
        if (ZSTD_isError(n))
            return n;
    }
    ZSTD_CCtx_refPrefix(zstd, references, n_references);
    return ZSTD_compress2(zstd, out->data, out->len, content, size);
}

GBytes *delta_pack(
        const guint8 *references, gsize n_references, const guint8 *content, gsize size, int level, GError **error) {
    g_autoptr(GByteArray) out = g_byte_array_new();
    ZSTD_CCtx *zstd = ZSTD_createCCtx();

    g_byte_array_set_size(out, (guint) ZSTD_compressBound(size));
    size_t n = compress(zstd, level, out, references, n_references, content, size);
    ZSTD_freeCCtx(zstd);
    if (ZSTD_isError(n)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "zstd: %s", ZSTD_getErrorName(n));
        return NULL;
    }
    g_byte_array_set_size(out, (guint) n);
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}
