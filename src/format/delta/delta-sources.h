/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a device has, for the references of a delta. */

#include "format/delta/delta.h"
#include "format/erofs/erofs-reader.h"

/* Does not change while it is used; any number of threads may, each with a DeltaReader of its own. */
typedef struct {
    int old_fd;
    guint64 old_offset, old_size;
    ErofsImage *old_image; /* NULL: the old one is no volume */
    ErofsImage *new_image; /* NULL: there is none */
} DeltaSources;

typedef struct DeltaReader DeltaReader;

/* SOURCES is borrowed and must outlive the reader. */
DeltaReader *delta_reader_new(const DeltaSources *sources);
void delta_reader_free(DeltaReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeltaReader, delta_reader_free)

/* Puts the bytes of REFERENCE to OUT. */
gboolean delta_reader_get(
        DeltaReader *reader, const DeltaReference *reference, guint8 *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The bytes of all references of UNIT, one behind the other; owned by the caller. */
guint8 *delta_reader_get_all(DeltaReader *reader, const Delta *delta, const DeltaUnit *unit, GError **error);
