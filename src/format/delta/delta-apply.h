/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a delta, and what a device has, to bytes of the new file or volume. */

#include "format/delta/delta-sources.h"

/* Contents that are begun and not whole yet. */
#define DELTA_PENDING_MAX (64u << 20)

/* Whether anybody needs PIECE. */
typedef gboolean (*DeltaWants)(gpointer data, const DeltaPiece *piece);

/* SIZE bytes of PIECE, AT bytes from its beginning; pieces in any order, the bytes of one in theirs. Nobody vouches for them.
 * FALSE with ERROR set ends everything. */
typedef gboolean (*DeltaPut)(
        gpointer data, const DeltaPiece *piece, guint64 at, const guint8 *bytes, gsize size, GError **error);

typedef struct {
    guint pieces; /* that were handed over */
    guint failed; /* that did not come to the length that they have to have */
} DeltaReport;

/*
 * Hands the pieces that are wanted to PUT. FD is of the delta that DELTA was read from. THREADS: 0 means one for each
 * processor. A piece whose bytes come out with another length, because another version of a library packs them, is not handed
 * over, and that is no error. Memory: DELTA_PENDING_MAX, and per thread what one unit takes.
 */
gboolean delta_apply(const Delta *delta, int fd, const DeltaSources *sources, guint threads, DeltaWants wants, DeltaPut put,
        gpointer data, DeltaReport *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
