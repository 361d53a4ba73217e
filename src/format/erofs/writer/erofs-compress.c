/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/erofs/writer/erofs-compress.h"

#include <string.h>
#include <zstd.h>

struct ErofsCompressor {
    ZSTD_CCtx *zstd; /* NULL: everything is stored as it is */
};

guint erofs_window_log(guint32 window) {
    return MAX(g_bit_storage(window - 1), 10);
}

static void set_parameter(ZSTD_CCtx *zstd, ZSTD_cParameter parameter, int value) {
    gsize result = ZSTD_CCtx_setParameter(zstd, parameter, value);
    if (ZSTD_isError(result))
        g_error("zstd refuses a parameter: %s", ZSTD_getErrorName(result));
}

ErofsCompressor *erofs_compressor_new(ErofsCompression compression, int level, guint32 window) {
    ErofsCompressor *compressor = g_new0(ErofsCompressor, 1);
    if (compression == EROFS_COMPRESSION_NONE)
        return compressor;
    compressor->zstd = ZSTD_createCCtx();
    if (!compressor->zstd)
        g_error("not enough memory for zstd");
    set_parameter(compressor->zstd, ZSTD_c_compressionLevel, level);
    set_parameter(compressor->zstd, ZSTD_c_windowLog, (int) erofs_window_log(window));
    return compressor;
}

void erofs_compressor_free(ErofsCompressor *compressor) {
    ZSTD_freeCCtx(compressor->zstd);
    g_free(compressor);
}

ErofsCluster erofs_compress_cluster(
        ErofsCompressor *compressor, const guint8 *input, gsize size, guint8 *out) {
    guint logical = (size + EROFS_BLOCK_SIZE - 1) / EROFS_BLOCK_SIZE;
    if (compressor->zstd && logical > 1) {
        gsize n =
                ZSTD_compress2(compressor->zstd, out, (gsize) (logical - 1) * EROFS_BLOCK_SIZE, input, size);
        if (!ZSTD_isError(n)) {
            /* Readers expect the padding in front. */
            gsize physical = (n + EROFS_BLOCK_SIZE - 1) / EROFS_BLOCK_SIZE;
            gsize padding = physical * EROFS_BLOCK_SIZE - n;
            memmove(out + padding, out, n);
            memset(out, 0, padding);
            return (ErofsCluster){.logical = logical, .physical = physical};
        }
    }
    memcpy(out, input, size);
    memset(out + size, 0, (gsize) logical * EROFS_BLOCK_SIZE - size);
    return (ErofsCluster){.logical = logical, .physical = logical, .raw = TRUE};
}
