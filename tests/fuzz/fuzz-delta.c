/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A delta, and what comes of it on a device whose old version is these same bytes. */
#include "format/delta/delta-apply.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What one piece brought so far. */
typedef struct {
    const Delta *delta;
    guint64 bytes;
} Seen;

static gboolean wants(gpointer data, const DeltaPiece *piece) {
    const Seen *seen = data;

    g_assert_true(piece->offset <= seen->delta->new_size && piece->stored <= seen->delta->new_size - piece->offset);
    return TRUE;
}

static gboolean put(gpointer data, const DeltaPiece *piece, guint64 at, const guint8 *bytes, gsize size, GError **error) {
    Seen *seen = data;

    g_assert_true(at <= piece->stored && size <= piece->stored - at);
    for (gsize i = 0; i < size; i++)
        seen->bytes += bytes[i];
    return TRUE;
}

static void check(const Delta *delta, guint64 size) {
    for (guint i = 0; i < delta->units->len; i++) {
        const DeltaUnit *unit = &g_array_index(delta->units, DeltaUnit, i);
        g_assert_true(unit->offset <= size && unit->packed <= size - unit->offset);
        g_assert_true(unit->length <= DELTA_UNIT_MAX && unit->references <= DELTA_UNIT_MAX);
        g_assert_true(unit->first_member + unit->n_members <= delta->members->len);
        g_assert_true(unit->first_reference + unit->n_references <= delta->references->len);
    }
    for (guint i = 0; i < delta->segments->len; i++) {
        const DeltaSegment *segment = &g_array_index(delta->segments, DeltaSegment, i);
        g_assert_true(segment->to + segment->length <= delta->content);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GError) error = NULL;
    DeltaReport report;
    AUTO_FD fd = memfd_create("delta", MFD_CLOEXEC);

    g_assert_true(pwrite_all(fd, data, size, 0, NULL));
    g_autoptr(Delta) delta = delta_read(fd, size, &error);
    g_assert_true((delta == NULL) == (error != NULL));
    if (!delta)
        return 0;
    check(delta, size);
    /* What is right and large only takes time here. */
    if (delta->new_size > (4u << 20))
        return 0;
    DeltaSources sources = {.old_fd = fd, .old_size = size};
    Seen seen = {delta, 0};
    gboolean ok = delta_apply(delta, fd, &sources, 1, wants, put, &seen, &report, &error);
    g_assert_true(ok == (error == NULL));
    return 0;
}
