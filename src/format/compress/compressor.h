/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A stream of bytes, compressed into a file. The same input and level give the same output with any number
 * of threads (but maybe not with another version of the library). */

#include <glib.h>

typedef enum {
    COMPRESSOR_NONE,
    COMPRESSOR_ZSTD, /* RFC 8878 */
    COMPRESSOR_GZIP, /* RFC 1952 */
    COMPRESSOR_XZ,   /* with CRC32, the one check that every reader (the kernel's, too) knows */
    COMPRESSOR_BZIP2,
    COMPRESSOR_LZ4,        /* LZ4 frame format */
    COMPRESSOR_LZ4_LEGACY, /* the older frames, which are what the kernel takes for an initramfs */
    COMPRESSOR_LZMA,       /* .lzma ("alone") */
} CompressorKind;

typedef struct Compressor Compressor;

/* The highest level of KIND (0 for COMPRESSOR_NONE). */
int compressor_max_level(CompressorKind kind);

/* A compressor that writes to FD (borrowed, at its position). LEVEL 0 is 3 for zstd, 9 for gzip and bzip2,
 * and the fastest for the others; a higher level than there is counts as the highest. THREADS 0: one per
 * processor; zstd, gzip and xz use several. */
Compressor *compressor_new(int fd, CompressorKind kind, int level, guint threads, GError **error);
void compressor_free(Compressor *compressor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Compressor, compressor_free)

/* CALLBACK sees all input on its way into the compressor. */
typedef void (*CompressorInput)(gpointer user_data, const void *data, gsize size);
void compressor_on_input(Compressor *compressor, CompressorInput callback, gpointer user_data);

gboolean compressor_write(Compressor *compressor, const void *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends the stream and writes what is left. */
gboolean compressor_finish(Compressor *compressor, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads everything from INPUT_FD (from its position on) and ends the stream. */
gboolean compressor_write_fd(Compressor *compressor, int input_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
