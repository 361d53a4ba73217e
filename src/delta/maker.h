/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of making a delta share. */

#include "delta/make.h"
#include "format/delta/delta-sources.h"

/* A member that is to be made, with where its content and its references are. Pieces are counted in the order in which they
 * were added. */
typedef struct {
    DeltaReference content;   /* in the new version */
    DeltaReference reference; /* in the old one; length 0: there is none */
    gboolean is_xz;
    DeltaXz xz;
    GArray *places; /* MakerPlace */
} MakerMember;

typedef struct {
    guint64 from; /* as of DeltaSegment */
    guint piece;
    guint64 at; /* in its content */
    guint64 length;
} MakerPlace;

typedef struct {
    DeltaOptions options;
    Delta *delta;
    DeltaSources old;    /* what the device will have */
    DeltaSources target; /* the new version, as if it were an old one */
    GPtrArray *members;  /* MakerMember */
    guint64 changed, left_out;
} Maker;

Maker *maker_new(DeltaKind kind, const DeltaOptions *options);
void maker_free(Maker *maker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Maker, maker_free)

/* Adds a piece; its number. FILLED grows with what is placed in it. */
guint maker_add_piece(Maker *maker, const DeltaPiece *piece);

/* Adds a member of CONTENT; owned by MAKER. REFERENCE may be NULL. */
MakerMember *maker_add_member(Maker *maker, const DeltaReference *content, const DeltaReference *reference);

/* Bytes FROM of what MEMBER becomes go to AT of the content of PIECE. */
void maker_place(Maker *maker, MakerMember *member, guint64 from, guint piece, guint64 at, guint64 length);

/* Packs all members, and writes the delta. */
gboolean maker_write(Maker *maker, int out, DeltaSummary *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
