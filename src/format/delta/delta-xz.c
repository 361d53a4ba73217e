/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/delta/delta-xz.h"

#include <lzma.h>
#include <string.h>

/* What unpacking may take beside its output. */
#define MEMORY_MAX (G_GUINT64_CONSTANT(32) << 20)
#define FIRST_ROOM (256u * 1024)
#define BLOCK_MIN (1u << 20)

static gboolean damaged(GError **error, const char *what) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "xz: %s", what);
    return FALSE;
}

gboolean delta_is_xz(const guint8 *file, gsize size) {
    static const guint8 magic[] = {0xfd, '7', 'z', 'X', 'Z', 0};

    return size > LZMA_STREAM_HEADER_SIZE && memcmp(file, magic, sizeof magic) == 0;
}

guint8 *delta_xz_unpack(const guint8 *file, gsize size, gsize max, gsize *ret_size, GError **error) {
    lzma_stream stream = LZMA_STREAM_INIT;
    gsize room = MIN(FIRST_ROOM, max);
    g_autofree guint8 *out = g_malloc(MAX(room, 1));
    lzma_ret result = lzma_stream_decoder(&stream, MEMORY_MAX, 0);

    stream.next_in = file;
    stream.avail_in = size;
    stream.next_out = out;
    stream.avail_out = room;
    while (result == LZMA_OK) {
        result = lzma_code(&stream, LZMA_FINISH);
        if (result != LZMA_OK || stream.avail_out > 0)
            continue;
        if (room == max)
            break;
        gsize more = MIN(room, max - room);
        out = g_realloc(out, room + more);
        stream.next_out = out + room;
        stream.avail_out = more;
        room += more;
    }
    *ret_size = room - stream.avail_out;
    gboolean whole = result == LZMA_STREAM_END && stream.avail_in == 0;
    lzma_end(&stream);
    if (whole)
        return g_steal_pointer(&out);
    damaged(error, result == LZMA_OK ? "it unpacks to more than it may" : "it cannot be unpacked");
    return NULL;
}

/* ---- packing ---- */

static lzma_ret begin(const DeltaXz *xz, lzma_stream *stream) {
    lzma_options_lzma options;

    if (lzma_lzma_preset(&options, xz->preset))
        return LZMA_OPTIONS_ERROR;
    options.dict_size = xz->dictionary;
    options.lc = xz->lc;
    options.lp = xz->lp;
    options.pb = xz->pb;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    if (xz->block == 0)
        return lzma_stream_encoder(stream, filters, (lzma_check) xz->check);
    lzma_mt blocks = {.threads = 1, .block_size = xz->block, .filters = filters, .check = (lzma_check) xz->check};
    return lzma_stream_encoder_mt(stream, &blocks);
}

gboolean delta_xz_pack(const DeltaXz *xz, const guint8 *content, gsize size, guint8 *out, GError **error) {
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_ret result = begin(xz, &stream);

    stream.next_in = content;
    stream.avail_in = size;
    stream.next_out = out;
    stream.avail_out = xz->size;
    while (result == LZMA_OK)
        result = lzma_code(&stream, LZMA_FINISH);
    gsize left = stream.avail_out;
    lzma_end(&stream);
    return (result == LZMA_STREAM_END && left == 0) || damaged(error, "it does not become what it was");
}

/* ---- looking ---- */

/* What the headers of stream and first block say. */
static gboolean read_headers(const guint8 *file, gsize size, DeltaXz *ret) {
    lzma_filter filters[LZMA_FILTERS_MAX + 1];
    lzma_block block = {.version = 0, .filters = filters};
    const guint8 *header = file + LZMA_STREAM_HEADER_SIZE;
    lzma_stream_flags flags;

    if (lzma_stream_header_decode(&flags, file) != LZMA_OK || header[0] == 0)
        return FALSE;
    block.check = flags.check;
    block.header_size = lzma_block_header_size_decode(header[0]);
    if (LZMA_STREAM_HEADER_SIZE + block.header_size > size ||
            lzma_block_header_decode(&block, NULL, header) != LZMA_OK)
        return FALSE;
    const lzma_options_lzma *options = filters[0].options;
    gboolean known = filters[0].id == LZMA_FILTER_LZMA2 && filters[1].id == LZMA_VLI_UNKNOWN;
    if (known)
        *ret = (DeltaXz){.check = flags.check,
                .lc = options->lc,
                .lp = options->lp,
                .pb = options->pb,
                .dictionary = options->dict_size,
                .block = block.uncompressed_size == LZMA_VLI_UNKNOWN ? 0 : (guint32) MIN(block.uncompressed_size, G_MAXUINT32),
                .size = size};
    lzma_filters_free(filters, NULL);
    return known && ret->dictionary <= DELTA_DICTIONARY_MAX;
}

static gboolean becomes(const DeltaXz *xz, const guint8 *content, gsize content_size, const guint8 *file, guint8 *out) {
    return delta_xz_pack(xz, content, content_size, out, NULL) && memcmp(out, file, xz->size) == 0;
}

gboolean delta_xz_probe(const guint8 *file, gsize size, const guint8 *content, gsize content_size, DeltaXz *ret) {
    static const guint32 presets[] = {6, 9, 9 | LZMA_PRESET_EXTREME, 6 | LZMA_PRESET_EXTREME, 3, 0};
    g_autofree guint8 *out = NULL;

    if (!delta_is_xz(file, size) || !read_headers(file, size, ret))
        return FALSE;
    /* lc, lp and pb do not stand in the header. Packers that make several blocks cut them at three dictionaries. */
    ret->lc = LZMA_LC_DEFAULT;
    ret->lp = LZMA_LP_DEFAULT;
    ret->pb = LZMA_PB_DEFAULT;
    if (ret->block == content_size)
        ret->block = MAX(ret->dictionary * 3, BLOCK_MIN);
    if (ret->block != 0 && ret->block < content_size && ret->block > DELTA_UNIT_MAX)
        return FALSE;
    out = g_malloc(size);
    for (guint i = 0; i < G_N_ELEMENTS(presets); i++) {
        ret->preset = presets[i];
        if (becomes(ret, content, content_size, file, out))
            return TRUE;
    }
    return FALSE;
}
