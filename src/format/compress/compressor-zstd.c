/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/compress/compressor-method.h"

#include <zstd.h>

#define DEFAULT_LEVEL 3

/* Bytes of input for each thread at a time. Part of the result, therefore not left to the library. */
#define JOB_SIZE (4 << 20)

static gboolean failed(gsize code, GError **error) {
    return ZSTD_isError(code) && !compressor_failed(&compressor_zstd, ZSTD_getErrorName(code), error);
}

static gboolean set_parameters(ZSTD_CCtx *zstd, int level, guint threads, GError **error) {
    /* With at least one worker the stream is cut into jobs, and then their number does not matter. */
    const struct {
        ZSTD_cParameter parameter;
        int value;
    } parameters[] = {
            {ZSTD_c_compressionLevel, level > 0 ? level : DEFAULT_LEVEL},
            {ZSTD_c_checksumFlag, 1},
            {ZSTD_c_nbWorkers, threads > 0 ? threads : g_get_num_processors()},
            {ZSTD_c_jobSize, JOB_SIZE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(parameters); i++)
        if (failed(ZSTD_CCtx_setParameter(zstd, parameters[i].parameter, parameters[i].value), error))
            return FALSE;
    return TRUE;
}

static void zstd_free(gpointer state) {
    ZSTD_freeCCtx(state);
}

static gpointer zstd_new(CompressorKind kind, int level, guint threads, GError **error) {
    ZSTD_CCtx *zstd = ZSTD_createCCtx();

    if (!zstd) {
        compressor_failed(&compressor_zstd, "not enough memory", error);
        return NULL;
    }
    if (set_parameters(zstd, level, threads, error))
        return zstd;
    zstd_free(zstd);
    return NULL;
}

static gboolean zstd_push(
        gpointer state, CompressorSink *sink, const guint8 *data, gsize size, gboolean end, GError **error) {
    ZSTD_inBuffer input = {.src = data, .size = size};
    for (;;) {
        ZSTD_outBuffer output = {.dst = sink->buffer, .size = COMPRESSOR_PIECE};
        gsize left = ZSTD_compressStream2(state, &output, &input, end ? ZSTD_e_end : ZSTD_e_continue);
        if (failed(left, error) || !compressor_sink_write(sink, sink->buffer, output.pos, error))
            return FALSE;
        if (end ? left == 0 : input.pos == input.size)
            return TRUE;
    }
}

const CompressorMethod compressor_zstd = {"zstd", 22, zstd_new, zstd_push, zstd_free};
