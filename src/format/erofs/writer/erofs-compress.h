/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Turns one cluster of input into blocks. */

#include <glib.h>

#include "format/erofs/writer/erofs-tree.h"

typedef struct ErofsCompressor ErofsCompressor;

/* One per thread. WINDOW: bytes of the largest cluster. */
ErofsCompressor *erofs_compressor_new(ErofsCompression compression, int level, guint32 window);
void erofs_compressor_free(ErofsCompressor *compressor);

/* log2 of the window that a reader needs. */
guint erofs_window_log(guint32 window);

/*
 * Compresses SIZE bytes of INPUT to whole blocks at OUT, which has room for SIZE rounded up to blocks. Input
 * that does not get at least a block smaller is stored as it is.
 */
ErofsCluster erofs_compress_cluster(
        ErofsCompressor *compressor, const guint8 *input, gsize size, guint8 *out);
