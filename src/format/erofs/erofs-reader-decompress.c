/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clusters: each is compressed on its own, and its content has a known length. */
#include <lz4.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "format/erofs/erofs-reader-internal.h"

#define DEFLATE_WINDOW_BITS 15

/* Made when they are first needed, kept for the next cluster. */
typedef struct ErofsDecompressors {
    ZSTD_DCtx *zstd;
    lzma_stream lzma;
    z_stream deflate;
    gboolean has_deflate;
} ErofsDecompressors;

void erofs_decompressors_free(ErofsDecompressors *decompressors) {
    if (!decompressors)
        return;
    ZSTD_freeDCtx(decompressors->zstd);
    lzma_end(&decompressors->lzma);
    if (decompressors->has_deflate)
        inflateEnd(&decompressors->deflate);
    g_free(decompressors);
}

static ErofsDecompressors *get_decompressors(ErofsReader *reader) {
    if (!reader->decompressors) {
        reader->decompressors = g_new0(ErofsDecompressors, 1);
        reader->decompressors->lzma = (lzma_stream) LZMA_STREAM_INIT;
    }
    return reader->decompressors;
}

/* Each returns NULL, or what is wrong. IN: without padding. */

static const char *decode_lz4(
        const ErofsReader *reader, const ErofsExtent *extent, const guint8 *in, gsize size, guint8 *out) {
    int length = (int) extent->length;
    /* Data that does not end with its blocks is followed by anything. */
    int n = extent->partial || !reader->image->zero_padding
                    ? LZ4_decompress_safe_partial(
                              (const char *) in, (char *) out, (int) size, length, length)
                    : LZ4_decompress_safe((const char *) in, (char *) out, (int) size, length);
    return n == length ? NULL : "damaged LZ4 data";
}

static const char *decode_zstd(
        ErofsReader *reader, const ErofsExtent *extent, const guint8 *in, gsize size, guint8 *out) {
    ErofsDecompressors *decompressors = get_decompressors(reader);
    if (!decompressors->zstd)
        decompressors->zstd = ZSTD_createDCtx();
    ZSTD_DCtx *zstd = decompressors->zstd;
    if (!zstd)
        return "no memory for zstd";
    if (!extent->partial) {
        gsize n = ZSTD_decompressDCtx(zstd, out, extent->length, in, size);
        if (ZSTD_isError(n))
            return ZSTD_getErrorName(n);
        return n == extent->length ? NULL : "zstd data ends too early";
    }
    ZSTD_DCtx_reset(zstd, ZSTD_reset_session_only);
    ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, MAX(reader->image->zstd_window_log, 10));
    ZSTD_inBuffer input = {.src = in, .size = size};
    ZSTD_outBuffer output = {.dst = out, .size = extent->length};
    while (output.pos < output.size) {
        gsize before = output.pos, n = ZSTD_decompressStream(zstd, &output, &input);
        if (ZSTD_isError(n))
            return ZSTD_getErrorName(n);
        if (output.pos == before && (n == 0 || input.pos == input.size))
            return "zstd data ends too early";
    }
    return NULL;
}

static const char *decode_lzma(
        ErofsReader *reader, const ErofsExtent *extent, const guint8 *in, gsize size, guint8 *out) {
    lzma_stream *lzma = &get_decompressors(reader)->lzma;
    guint32 dictionary = reader->image->lzma_dictionary;
    if (lzma_microlzma_decoder(lzma, size, extent->length, !extent->partial, dictionary) != LZMA_OK)
        return "the LZMA decoder does not start";
    lzma->next_in = in;
    lzma->avail_in = size;
    lzma->next_out = out;
    lzma->avail_out = extent->length;
    lzma_ret result = lzma_code(lzma, LZMA_FINISH);
    if (result != LZMA_OK && result != LZMA_STREAM_END)
        return "damaged LZMA data";
    return lzma->avail_out == 0 ? NULL : "LZMA data ends too early";
}

static const char *decode_deflate(
        ErofsReader *reader, const ErofsExtent *extent, const guint8 *in, gsize size, guint8 *out) {
    ErofsDecompressors *decompressors = get_decompressors(reader);
    z_stream *deflate = &decompressors->deflate;
    if (!decompressors->has_deflate && inflateInit2(deflate, -DEFLATE_WINDOW_BITS) != Z_OK)
        return "the DEFLATE decoder does not start";
    decompressors->has_deflate = TRUE;
    inflateReset(deflate);
    deflate->next_in = (guint8 *) in;
    deflate->avail_in = size;
    deflate->next_out = out;
    deflate->avail_out = extent->length;
    int result = inflate(deflate, Z_SYNC_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        return "damaged DEFLATE data";
    return deflate->avail_out == 0 ? NULL : "DEFLATE data ends too early";
}

static const char *decode(
        ErofsReader *reader, const ErofsExtent *extent, const guint8 *in, gsize size, guint8 *out) {
    switch (extent->algorithm) {
    case EROFS_ALGORITHM_LZ4:
        return decode_lz4(reader, extent, in, size, out);
    case EROFS_ALGORITHM_LZMA:
        return decode_lzma(reader, extent, in, size, out);
    case EROFS_ALGORITHM_DEFLATE:
        return decode_deflate(reader, extent, in, size, out);
    case EROFS_ALGORITHM_ZSTD:
        return decode_zstd(reader, extent, in, size, out);
    case EROFS_N_ALGORITHMS:
        break;
    }
    return "an unknown algorithm";
}

gboolean erofs_decompress(
        ErofsReader *reader, guint64 nid, const ErofsExtent *extent, guint8 *out, GError **error) {
    if (!reader->input)
        reader->input = g_malloc(EROFS_CLUSTER_STORED_MAX);
    if (!erofs_image_read(reader->image, nid, extent->where, reader->input, extent->stored, error))
        return FALSE;
    /* Zeros fill the first block in front of the data, except with LZ4 of the oldest writers. */
    gsize skip = 0;
    if (extent->algorithm != EROFS_ALGORITHM_LZ4 || reader->image->zero_padding)
        while (skip < MIN(extent->stored, reader->image->info.block_size) && reader->input[skip] == 0)
            skip++;
    if (skip == extent->stored)
        return erofs_damaged(error, nid, extent->where, "a cluster of zeros");
    const char *problem = decode(reader, extent, reader->input + skip, extent->stored - skip, out);
    if (problem)
        return erofs_damaged(error, nid, extent->where,
                "a cluster with the content from byte %" G_GUINT64_FORMAT " on: %s", extent->offset,
                problem);
    return TRUE;
}
