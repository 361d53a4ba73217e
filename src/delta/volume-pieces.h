/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which blocks of a new volume are to be made, as pieces, and which bytes of its files these hold. */

#include "delta/maker.h"

/* A stretch of a file whose content is that of a piece. */
typedef struct {
    guint64 offset; /* in the file */
    guint64 length;
    guint piece;
    guint64 at; /* in its content */
} FilePart;

typedef struct VolumePieces VolumePieces;

/* CHANGED: a byte for each of the N_BLOCKS blocks of MAKER's new volume that the old one has nowhere. Blocks that pieces cover
 * become 2. Adds pieces to MAKER. */
VolumePieces *volume_pieces_new(Maker *maker, ErofsReader *reader, guint8 *changed, guint64 n_blocks, GError **error);
void volume_pieces_free(VolumePieces *pieces);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VolumePieces, volume_pieces_free)

/* Hands over the parts of NODE that are in pieces, each of all files once: an array of FilePart, rising; may be empty. */
GArray *volume_pieces_take(
        VolumePieces *pieces, ErofsReader *reader, const ErofsNode *node, GError **error);
