/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a unit unpacks to, and the pieces that are made of it. */

#include "format/delta/delta-sources.h"

/* For one thread. */
typedef struct DeltaUnpacker DeltaUnpacker;

/* DELTA and SOURCES (borrowed) must outlive it. FD is of the delta. */
DeltaUnpacker *delta_unpacker_new(const Delta *delta, int fd, const DeltaSources *sources);
void delta_unpacker_free(DeltaUnpacker *unpacker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeltaUnpacker, delta_unpacker_free)

/* The members of UNIT, each as it is in the space of contents, that is packed as xz where it has to be: an array of GBytes.
 * A member that cannot be packed to the size that it has to have is NULL. */
GPtrArray *delta_unpack(DeltaUnpacker *unpacker, const DeltaUnit *unit, GError **error);

/* The frame of CONTENT behind REFERENCES. Owned by the caller. LEVEL: of zstd. */
GBytes *delta_pack(const guint8 *references, gsize n_references, const guint8 *content, gsize size, int level, GError **error);
