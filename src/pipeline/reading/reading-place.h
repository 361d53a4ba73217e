/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What of the host belongs to a recipe that is read: its directory, or the working tree of the repository
 * that holds it. A repository counts only if the recipe is part of it, not just put there, if nobody can
 * have made it around the recipe to see what is another's (one user owns all of it), and if it is nobody's
 * home. */

#include "sandbox/sandbox.h"

/* What a program sees of one place of the host. */
typedef struct {
    char *directory;  /* of the recipe, or of what is included: absolute, without links */
    char *top;        /* what is shown: that, or the working tree of the repository that holds it */
    char *git;        /* the directory of that repository, or NULL */
    char *git_common; /* what it shares with other working trees: GIT itself, or elsewhere; NULL without */
} ReadingPlace;

/* The place of DIRECTORY (absolute, without links). An error when so much would be shown
 * that it is nobody's recipe. */
ReadingPlace *reading_place_new(const char *directory, GError **error);
void reading_place_free(ReadingPlace *place);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReadingPlace, reading_place_free)
