/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/delta/delta.h"

Delta *delta_new(DeltaKind kind) {
    Delta *delta = g_new0(Delta, 1);

    delta->kind = kind;
    delta->pieces = g_array_new(FALSE, FALSE, sizeof(DeltaPiece));
    delta->units = g_array_new(FALSE, FALSE, sizeof(DeltaUnit));
    delta->references = g_array_new(FALSE, FALSE, sizeof(DeltaReference));
    delta->members = g_array_new(FALSE, FALSE, sizeof(DeltaMember));
    delta->segments = g_array_new(FALSE, FALSE, sizeof(DeltaSegment));
    return delta;
}

void delta_free(Delta *delta) {
    if (!delta)
        return;
    g_array_unref(delta->pieces);
    g_array_unref(delta->units);
    g_array_unref(delta->references);
    g_array_unref(delta->members);
    g_array_unref(delta->segments);
    g_free(delta);
}

const DeltaPiece *delta_find_piece(const Delta *delta, guint64 at) {
    guint low = 0, high = delta->pieces->len;

    g_return_val_if_fail(at < delta->content, NULL);
    while (high - low > 1) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(delta->pieces, DeltaPiece, middle).start <= at)
            low = middle;
        else
            high = middle;
    }
    return &g_array_index(delta->pieces, DeltaPiece, low);
}
