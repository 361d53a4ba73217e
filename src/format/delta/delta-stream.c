/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/delta/delta-stream.h"

#include <zstd.h>

#define JOB_SIZE (4 << 20)
#define PIECE (256u * 1024)

struct DeltaStream {
    ZSTD_CCtx *zstd;
    guint8 *buffer;
};

static gboolean failed(size_t code, GError **error) {
    if (!ZSTD_isError(code))
        return FALSE;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "zstd: %s", ZSTD_getErrorName(code));
    return TRUE;
}

void delta_stream_free(DeltaStream *stream) {
    if (!stream)
        return;
    ZSTD_freeCCtx(stream->zstd);
    g_free(stream->buffer);
    g_free(stream);
}

DeltaStream *delta_stream_new(guint level, GError **error) {
    const struct {
        ZSTD_cParameter parameter;
        int value;
    } parameters[] = {{ZSTD_c_compressionLevel, (int) level}, {ZSTD_c_checksumFlag, 1}, {ZSTD_c_nbWorkers, 1},
            {ZSTD_c_jobSize, JOB_SIZE}};
    g_autoptr(DeltaStream) stream = g_new0(DeltaStream, 1);

    stream->zstd = ZSTD_createCCtx();
    stream->buffer = g_malloc(PIECE);
    for (gsize i = 0; i < G_N_ELEMENTS(parameters); i++)
        if (failed(ZSTD_CCtx_setParameter(stream->zstd, parameters[i].parameter, parameters[i].value), error))
            return NULL;
    return g_steal_pointer(&stream);
}

static gboolean compress(DeltaStream *stream, const guint8 *bytes, gsize size, ZSTD_EndDirective directive,
        DeltaStreamSink sink, gpointer data, GError **error) {
    ZSTD_inBuffer in = {bytes, size, 0};

    for (;;) {
        ZSTD_outBuffer out = {stream->buffer, PIECE, 0};
        size_t left = ZSTD_compressStream2(stream->zstd, &out, &in, directive);
        if (failed(left, error) || (out.pos > 0 && !sink(data, stream->buffer, out.pos, error)))
            return FALSE;
        if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size)
            return TRUE;
    }
}

gboolean delta_stream_push(DeltaStream *stream, const guint8 *bytes, gsize size, gboolean last, DeltaStreamSink sink,
        gpointer data, GError **error) {
    return compress(stream, bytes, size, ZSTD_e_continue, sink, data, error) &&
           (!last || compress(stream, NULL, 0, ZSTD_e_end, sink, data, error));
}
