/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A stream of bytes, compressed into a file. The same input and level give the same output with any number
 * of threads (but maybe not with another version of the library). */

#include <glib.h>

typedef enum {
    COMPRESSOR_NONE,
    COMPRESSOR_ZSTD,
    COMPRESSOR_GZIP,
} CompressorKind;

typedef struct Compressor Compressor;

/* A compressor that writes to FD (borrowed, at its position). LEVEL 0 is 3 for zstd and 9 for gzip. THREADS
 * 0: one per processor; only zstd uses several. */
Compressor *compressor_new(int fd, CompressorKind kind, int level, guint threads, GError **error);
void compressor_free(Compressor *compressor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Compressor, compressor_free)

gboolean compressor_write(Compressor *compressor, const void *data, gsize size, GError **error);

/* Ends the stream and writes what is left. */
gboolean compressor_finish(Compressor *compressor, GError **error);

/* Reads everything from INPUT_FD (from its position on) and ends the stream. */
gboolean compressor_write_fd(Compressor *compressor, int input_fd, GError **error);
