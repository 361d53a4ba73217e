/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Makes deltas between two versions of what devices install. See format/delta/delta.h for what is in them.
 *
 * Of the new version only what the old one has nowhere is in a delta, and of that the difference to the old file that is most
 * like it: the one at the same path, or at a path that differs in numbers, or with the same name elsewhere.
 */

#include <gio/gio.h>

#define DELTA_LEVEL_DEFAULT 19

typedef struct {
    int level;      /* of zstd, 1 to 22; 0: DELTA_LEVEL_DEFAULT */
    gboolean no_xz; /* files that are packed with xz stay packed: the delta is larger, and costs devices less time */
    guint threads;  /* 0: one for each processor */
} DeltaOptions;

typedef struct {
    guint64 size;     /* of the delta */
    guint64 changed;  /* bytes of the new version that the old one does not have */
    guint64 left_out; /* bytes of these that are not in the delta, because nobody can make them again */
    guint units;
} DeltaSummary;

/* A volume: EROFS in DATA, its hash area in TREE. Files are borrowed. */
typedef struct {
    int data, tree;
} DeltaVolume;

/* Writes the delta from OLD to NEW to OUT, an empty file. Fails when there is no hash area, or no EROFS. */
gboolean delta_make_volume(const DeltaVolume *old, const DeltaVolume *new, const DeltaOptions *options, int out,
        DeltaSummary *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes the delta from the file OLD to NEW, UKIs, to OUT. VOLUME (may be NULL): the new volume that comes with NEW. */
gboolean delta_make_file(int old, int new, const DeltaVolume *volume, const DeltaOptions *options, int out,
        DeltaSummary *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
