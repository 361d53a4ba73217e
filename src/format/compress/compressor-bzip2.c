/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/compress/compressor-method.h"

#include <bzlib.h>

#define DEFAULT_LEVEL 9

static void bzip2_free(gpointer state) {
    BZ2_bzCompressEnd(state);
    g_free(state);
}

static gpointer bzip2_new(CompressorKind kind, int level, guint threads, GError **error) {
    bz_stream *stream = g_new0(bz_stream, 1);

    if (BZ2_bzCompressInit(stream, level > 0 ? level : DEFAULT_LEVEL, 0, 0) == BZ_OK)
        return stream;
    g_free(stream);
    compressor_failed(&compressor_bzip2, "not enough memory", error);
    return NULL;
}

static gboolean bzip2_push(
        gpointer state, CompressorSink *sink, const guint8 *data, gsize size, gboolean end, GError **error) {
    bz_stream *stream = state;

    stream->next_in = (char *) data;
    stream->avail_in = size;
    while (stream->avail_in > 0 || end) {
        stream->next_out = (char *) sink->buffer;
        stream->avail_out = COMPRESSOR_PIECE;
        int status = BZ2_bzCompress(stream, end ? BZ_FINISH : BZ_RUN);
        if (status < 0)
            return compressor_failed(&compressor_bzip2, "the library refused the data", error);
        if (!compressor_sink_write(sink, sink->buffer, COMPRESSOR_PIECE - stream->avail_out, error))
            return FALSE;
        if (status == BZ_STREAM_END)
            break;
    }
    return TRUE;
}

const CompressorMethod compressor_bzip2 = {"bzip2", 9, bzip2_new, bzip2_push, bzip2_free};
