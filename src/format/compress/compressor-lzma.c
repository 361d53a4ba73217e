/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xz and lzma, both of liblzma. */

#include "format/compress/compressor-method.h"

#include <lzma.h>

/* Each thread of xz keeps several times the dictionary: 64 MiB at the highest level. */
#define MAX_THREADS 16

/* The encoder with threads cuts the input into blocks whose size follows from the level alone. */
static lzma_ret start_xz(lzma_stream *stream, int level, guint threads) {
    lzma_mt options = {
            .threads = CLAMP(threads > 0 ? threads : g_get_num_processors(), 1, MAX_THREADS),
            .preset = level,
            .check = LZMA_CHECK_CRC32,
    };
    return lzma_stream_encoder_mt(stream, &options);
}

static lzma_ret start_lzma(lzma_stream *stream, int level) {
    lzma_options_lzma options;
    return lzma_lzma_preset(&options, level) ? LZMA_OPTIONS_ERROR : lzma_alone_encoder(stream, &options);
}

static void lzma_state_free(gpointer state) {
    lzma_end(state);
    g_free(state);
}

static gpointer lzma_new(CompressorKind kind, int level, guint threads, GError **error) {
    lzma_stream *stream = g_new0(lzma_stream, 1);
    lzma_ret status = kind == COMPRESSOR_XZ ? start_xz(stream, level, threads) : start_lzma(stream, level);

    if (status == LZMA_OK)
        return stream;
    lzma_state_free(stream);
    compressor_failed(&compressor_lzma, "not enough memory", error);
    return NULL;
}

static gboolean lzma_push(
        gpointer state, CompressorSink *sink, const guint8 *data, gsize size, gboolean end, GError **error) {
    lzma_stream *stream = state;

    stream->next_in = data;
    stream->avail_in = size;
    while (stream->avail_in > 0 || end) {
        stream->next_out = sink->buffer;
        stream->avail_out = COMPRESSOR_PIECE;
        lzma_ret status = lzma_code(stream, end ? LZMA_FINISH : LZMA_RUN);
        if (status != LZMA_OK && status != LZMA_STREAM_END)
            return compressor_failed(&compressor_lzma,
                    status == LZMA_MEM_ERROR ? "not enough memory" : "the library refused the data", error);
        if (!compressor_sink_write(sink, sink->buffer, COMPRESSOR_PIECE - stream->avail_out, error))
            return FALSE;
        if (status == LZMA_STREAM_END)
            break;
    }
    return TRUE;
}

const CompressorMethod compressor_lzma = {"xz", 9, lzma_new, lzma_push, lzma_state_free};
