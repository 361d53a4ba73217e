/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LZ4: the frame format, and the legacy frames that the kernel reads. */

#include "format/compress/compressor-method.h"

#include <lz4.h>
#include <lz4frame.h>
#include <lz4hc.h>

/* Of the legacy format: every block but the last holds that much (LZ4 frame format, "Legacy frame"). */
#define LEGACY_BLOCK (8u << 20)
#define LEGACY_MAGIC 0x184c2102u

/* From this level on it searches longer for matches, as the program lz4 does. */
#define HC_LEVEL 3

typedef struct {
    int level;
    gboolean legacy;
    gboolean begun;
    LZ4F_cctx *context;
    GByteArray *block; /* legacy: input that waits for a full block */
    guint8 *output;    /* room for one result */
    gsize output_size;
} Lz4State;

static void lz4_free(gpointer data) {
    Lz4State *state = data;
    LZ4F_freeCompressionContext(state->context);
    if (state->block)
        g_byte_array_unref(state->block);
    g_free(state->output);
    g_free(state);
}

static LZ4F_preferences_t preferences(const Lz4State *state) {
    return (LZ4F_preferences_t){
            .frameInfo = {.blockSizeID = LZ4F_max4MB,
                    .blockMode = LZ4F_blockIndependent,
                    .contentChecksumFlag = LZ4F_contentChecksumEnabled},
            .compressionLevel = state->level,
    };
}

static gpointer lz4_new(CompressorKind kind, int level, guint threads, GError **error) {
    Lz4State *state = g_new0(Lz4State, 1);

    state->level = level;
    state->legacy = kind == COMPRESSOR_LZ4_LEGACY;
    if (state->legacy) {
        state->block = g_byte_array_sized_new(LEGACY_BLOCK);
        state->output_size = LZ4_compressBound(LEGACY_BLOCK);
    } else {
        LZ4F_preferences_t chosen = preferences(state);
        state->output_size = LZ4F_compressBound(COMPRESSOR_PIECE, &chosen) + LZ4F_HEADER_SIZE_MAX;
    }
    state->output = g_malloc(state->output_size);
    if (!state->legacy && LZ4F_isError(LZ4F_createCompressionContext(&state->context, LZ4F_VERSION))) {
        lz4_free(state);
        compressor_failed(&compressor_lz4, "not enough memory", error);
        return NULL;
    }
    return state;
}

/* ---- frames ---- */

static gboolean write_result(Lz4State *state, CompressorSink *sink, size_t result, GError **error) {
    if (LZ4F_isError(result))
        return compressor_failed(&compressor_lz4, LZ4F_getErrorName(result), error);
    return compressor_sink_write(sink, state->output, result, error);
}

static gboolean push_frame(Lz4State *state, CompressorSink *sink, const guint8 *data, gsize size,
        gboolean end, GError **error) {
    LZ4F_preferences_t chosen = preferences(state);

    if (!state->begun &&
            !write_result(state, sink,
                    LZ4F_compressBegin(state->context, state->output, state->output_size, &chosen), error))
        return FALSE;
    state->begun = TRUE;
    if (size > 0 &&
            !write_result(state, sink,
                    LZ4F_compressUpdate(state->context, state->output, state->output_size, data, size, NULL),
                    error))
        return FALSE;
    return !end || write_result(state, sink,
                           LZ4F_compressEnd(state->context, state->output, state->output_size, NULL), error);
}

/* ---- legacy frames ---- */

static gboolean write_number(CompressorSink *sink, guint32 number, GError **error) {
    guint32 little = GUINT32_TO_LE(number);
    return compressor_sink_write(sink, &little, sizeof little, error);
}

static gboolean write_block(Lz4State *state, CompressorSink *sink, GError **error) {
    const char *input = (const char *) state->block->data;
    int size = state->level < HC_LEVEL ? LZ4_compress_default(input, (char *) state->output,
                                                 state->block->len, state->output_size)
                                       : LZ4_compress_HC(input, (char *) state->output, state->block->len,
                                                 state->output_size, state->level);

    if (size <= 0)
        return compressor_failed(&compressor_lz4, "the library refused the data", error);
    g_byte_array_set_size(state->block, 0);
    return write_number(sink, size, error) && compressor_sink_write(sink, state->output, size, error);
}

static gboolean push_legacy(Lz4State *state, CompressorSink *sink, const guint8 *data, gsize size,
        gboolean end, GError **error) {
    if (!state->begun && !write_number(sink, LEGACY_MAGIC, error))
        return FALSE;
    state->begun = TRUE;
    /* Pieces divide blocks evenly. */
    g_byte_array_append(state->block, data, size);
    if (state->block->len < LEGACY_BLOCK && (!end || state->block->len == 0))
        return TRUE;
    return write_block(state, sink, error);
}

static gboolean lz4_push(
        gpointer data, CompressorSink *sink, const guint8 *input, gsize size, gboolean end, GError **error) {
    Lz4State *state = data;
    return (state->legacy ? push_legacy : push_frame)(state, sink, input, size, end, error);
}

const CompressorMethod compressor_lz4 = {"lz4", LZ4HC_CLEVEL_MAX, lz4_new, lz4_push, lz4_free};
