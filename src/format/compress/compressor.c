/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/compress/compressor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/io.h"
#include "format/compress/compressor-method.h"

struct Compressor {
    CompressorSink sink;
    const CompressorMethod *method; /* NULL: bytes as they are */
    gpointer state;
    guint8 *input; /* COMPRESSOR_PIECE bytes, so that the compressors see few, large pieces */
    gsize input_size;
    CompressorInput on_input; /* or NULL */
    gpointer on_input_data;
};

static const CompressorMethod *find_method(CompressorKind kind) {
    switch (kind) {
    case COMPRESSOR_NONE:
        return NULL;
    case COMPRESSOR_ZSTD:
        return &compressor_zstd;
    case COMPRESSOR_GZIP:
        return &compressor_gzip;
    case COMPRESSOR_XZ:
    case COMPRESSOR_LZMA:
        return &compressor_lzma;
    case COMPRESSOR_BZIP2:
        return &compressor_bzip2;
    case COMPRESSOR_LZ4:
    case COMPRESSOR_LZ4_LEGACY:
        return &compressor_lz4;
    }
    g_return_val_if_reached(NULL);
}

gboolean compressor_failed(const CompressorMethod *method, const char *text, GError **error) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "compressing with %s: %s", method->name, text);
    return FALSE;
}

gboolean compressor_sink_write(CompressorSink *sink, const void *data, gsize size, GError **error) {
    return write_all(sink->fd, data, size) || set_errno_error(error, errno, "writing");
}

int compressor_max_level(CompressorKind kind) {
    const CompressorMethod *method = find_method(kind);
    return method ? method->max_level : 0;
}

Compressor *compressor_new(int fd, CompressorKind kind, int level, guint threads, GError **error) {
    g_autoptr(Compressor) compressor = g_new0(Compressor, 1);
    compressor->sink.fd = fd;
    compressor->sink.buffer = g_malloc(COMPRESSOR_PIECE);
    compressor->input = g_malloc(COMPRESSOR_PIECE);
    compressor->method = find_method(kind);
    if (compressor->method && !(compressor->state = compressor->method->new (kind,
                                        CLAMP(level, 0, compressor->method->max_level), threads, error)))
        return NULL;
    return g_steal_pointer(&compressor);
}

void compressor_free(Compressor *compressor) {
    if (!compressor)
        return;
    if (compressor->state)
        compressor->method->free(compressor->state);
    g_free(compressor->sink.buffer);
    g_free(compressor->input);
    g_free(compressor);
}

void compressor_on_input(Compressor *compressor, CompressorInput callback, gpointer user_data) {
    compressor->on_input = callback;
    compressor->on_input_data = user_data;
}

static gboolean push(Compressor *compressor, const void *data, gsize size, gboolean end, GError **error) {
    if (compressor->on_input)
        compressor->on_input(compressor->on_input_data, data, size);
    if (!compressor->method)
        return compressor_sink_write(&compressor->sink, data, size, error);
    return compressor->method->push(compressor->state, &compressor->sink, data, size, end, error);
}

gboolean compressor_write(Compressor *compressor, const void *data, gsize size, GError **error) {
    const guint8 *position = data;
    while (size > 0) {
        gsize part = MIN(size, COMPRESSOR_PIECE - compressor->input_size);
        memcpy(compressor->input + compressor->input_size, position, part);
        compressor->input_size += part;
        position += part;
        size -= part;
        if (compressor->input_size < COMPRESSOR_PIECE)
            break;
        if (!push(compressor, compressor->input, COMPRESSOR_PIECE, FALSE, error))
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
    g_autofree guint8 *buffer = g_malloc(COMPRESSOR_PIECE);
    for (;;) {
        gssize n = read(input_fd, buffer, COMPRESSOR_PIECE);
        if (n == 0)
            return compressor_finish(compressor, error);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return set_errno_error(error, errno, "reading");
        if (!compressor_write(compressor, buffer, n, error))
            return FALSE;
    }
}
