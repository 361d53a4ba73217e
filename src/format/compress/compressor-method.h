/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What each kind of compression does behind compressor.h. */

#include <gio/gio.h>

#include "format/compress/compressor.h"

/* Input comes in pieces of this size; only the last one is smaller (or empty). */
#define COMPRESSOR_PIECE (1u << 20)

/* Where the compressed bytes go. */
typedef struct {
    int fd;
    guint8 *buffer; /* COMPRESSOR_PIECE bytes for whoever needs them */
} CompressorSink;

gboolean compressor_sink_write(CompressorSink *sink, const void *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    const char *name;
    int max_level;
    gpointer (*new)(CompressorKind kind, int level, guint threads, GError **error);
    gboolean (*push)(gpointer state, CompressorSink *sink, const guint8 *data, gsize size, gboolean end,
            GError **error);
    GDestroyNotify free;
} CompressorMethod;

extern const CompressorMethod compressor_gzip;
extern const CompressorMethod compressor_bzip2;
extern const CompressorMethod compressor_lz4;
extern const CompressorMethod compressor_lzma; /* xz, too */
extern const CompressorMethod compressor_zstd;

/* "compressing with METHOD: TEXT" */
gboolean compressor_failed(const CompressorMethod *method, const char *text, GError **error);
