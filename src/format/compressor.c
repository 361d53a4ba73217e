/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/compressor.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#define BUFFER_SIZE (1u << 20)
#define ZSTD_DEFAULT_LEVEL 3
#define GZIP_DEFAULT_LEVEL 9

/* Bytes of input for each thread at a time. Part of the result, therefore not left to the library. */
#define ZSTD_JOB_SIZE (4 << 20)

struct Compressor {
    int fd;
    CompressorKind kind;
    guint8 *input; /* BUFFER_SIZE bytes, so that the compressors see few, large pieces */
    gsize input_size;
    guint8 *output; /* BUFFER_SIZE bytes */
    ZSTD_CCtx *zstd;
    GConverter *gzip;
};

static gboolean write_fd(int fd, const guint8 *data, gsize size, GError **error) {
    while (size > 0) {
        gssize n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "writing: %s", g_strerror(errno));
            return FALSE;
        }
        data += n;
        size -= n;
    }
    return TRUE;
}

static gboolean zstd_failed(gsize code, GError **error) {
    if (!ZSTD_isError(code))
        return FALSE;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "compressing with zstd: %s", ZSTD_getErrorName(code));
    return TRUE;
}

static gboolean zstd_setup(Compressor *compressor, int level, guint threads, GError **error) {
    compressor->zstd = ZSTD_createCCtx();
    if (!compressor->zstd) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "no memory for zstd");
        return FALSE;
    }
    /* With at least one worker the stream is cut into jobs, and then their number does not matter. */
    if (threads == 0)
        threads = g_get_num_processors();
    const struct {
        ZSTD_cParameter parameter;
        int value;
    } parameters[] = {
            {ZSTD_c_compressionLevel, level},
            {ZSTD_c_checksumFlag, 1},
            {ZSTD_c_nbWorkers, MAX(threads, 1)},
            {ZSTD_c_jobSize, ZSTD_JOB_SIZE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(parameters); i++)
        if (zstd_failed(
                    ZSTD_CCtx_setParameter(compressor->zstd, parameters[i].parameter, parameters[i].value),
                    error))
            return FALSE;
    return TRUE;
}

Compressor *compressor_new(int fd, CompressorKind kind, int level, guint threads, GError **error) {
    g_autoptr(Compressor) compressor = g_new0(Compressor, 1);
    compressor->fd = fd;
    compressor->kind = kind;
    compressor->input = g_malloc(BUFFER_SIZE);
    compressor->output = g_malloc(BUFFER_SIZE);
    if (kind == COMPRESSOR_ZSTD &&
            !zstd_setup(compressor, level > 0 ? level : ZSTD_DEFAULT_LEVEL, threads, error))
        return NULL;
    if (kind == COMPRESSOR_GZIP)
        compressor->gzip = G_CONVERTER(g_zlib_compressor_new(
                G_ZLIB_COMPRESSOR_FORMAT_GZIP, level > 0 ? MIN(level, 9) : GZIP_DEFAULT_LEVEL));
    return g_steal_pointer(&compressor);
}

void compressor_free(Compressor *compressor) {
    if (!compressor)
        return;
    g_free(compressor->input);
    g_free(compressor->output);
    ZSTD_freeCCtx(compressor->zstd);
    g_clear_object(&compressor->gzip);
    g_free(compressor);
}

static gboolean zstd_push(
        Compressor *compressor, const guint8 *data, gsize size, gboolean end, GError **error) {
    ZSTD_inBuffer input = {.src = data, .size = size};
    for (;;) {
        ZSTD_outBuffer output = {.dst = compressor->output, .size = BUFFER_SIZE};
        gsize left =
                ZSTD_compressStream2(compressor->zstd, &output, &input, end ? ZSTD_e_end : ZSTD_e_continue);
        if (zstd_failed(left, error) || !write_fd(compressor->fd, compressor->output, output.pos, error))
            return FALSE;
        if (end ? left == 0 : input.pos == input.size)
            return TRUE;
    }
}

static gboolean gzip_push(
        Compressor *compressor, const guint8 *data, gsize size, gboolean end, GError **error) {
    for (;;) {
        gsize used = 0, made = 0;
        if (size == 0 && !end)
            return TRUE;
        GConverterResult result = g_converter_convert(compressor->gzip, data, size, compressor->output,
                BUFFER_SIZE, end ? G_CONVERTER_INPUT_AT_END : G_CONVERTER_NO_FLAGS, &used, &made, error);
        if (result == G_CONVERTER_ERROR) {
            g_prefix_error(error, "compressing with gzip: ");
            return FALSE;
        }
        if (!write_fd(compressor->fd, compressor->output, made, error))
            return FALSE;
        data += used;
        size -= used;
        if (result == G_CONVERTER_FINISHED)
            return TRUE;
    }
}

static gboolean push(Compressor *compressor, const void *data, gsize size, gboolean end, GError **error) {
    switch (compressor->kind) {
    case COMPRESSOR_NONE:
        return write_fd(compressor->fd, data, size, error);
    case COMPRESSOR_ZSTD:
        return zstd_push(compressor, data, size, end, error);
    case COMPRESSOR_GZIP:
        return gzip_push(compressor, data, size, end, error);
    }
    g_return_val_if_reached(FALSE);
}

gboolean compressor_write(Compressor *compressor, const void *data, gsize size, GError **error) {
    const guint8 *position = data;
    while (size > 0) {
        gsize part = MIN(size, BUFFER_SIZE - compressor->input_size);
        memcpy(compressor->input + compressor->input_size, position, part);
        compressor->input_size += part;
        position += part;
        size -= part;
        if (compressor->input_size < BUFFER_SIZE)
            break;
        if (!push(compressor, compressor->input, BUFFER_SIZE, FALSE, error))
            return FALSE;
        compressor->input_size = 0;
    }
    return TRUE;
}

gboolean compressor_finish(Compressor *compressor, GError **error) {
    gsize size = compressor->input_size;
    compressor->input_size = 0;
    return push(compressor, compressor->input, size, TRUE, error);
}

gboolean compressor_write_fd(Compressor *compressor, int input_fd, GError **error) {
    g_autofree guint8 *buffer = g_malloc(BUFFER_SIZE);
    for (;;) {
        gssize n = read(input_fd, buffer, BUFFER_SIZE);
        if (n == 0)
            return compressor_finish(compressor, error);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "reading: %s", g_strerror(errno));
            return FALSE;
        }
        if (!compressor_write(compressor, buffer, n, error))
            return FALSE;
    }
}
