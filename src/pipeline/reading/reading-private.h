/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files about programs of the reading share. Internal to reading*.c and commits.c. */

#include "recipe/result/recipe.h"
#include "sandbox/sandbox.h"

/* What a program sees of one place of the host. */
typedef struct {
    char *directory;  /* of the recipe, or of what is included: absolute, without links */
    char *top;        /* what is shown: that, or the working tree of the repository that holds it */
    char *git;        /* the directory of that repository, or NULL */
    char *git_common; /* what it shares with other working trees: GIT itself, or elsewhere; NULL without */
} ReadingPlace;

/* reading-place.c: the place of DIRECTORY (absolute, without links). An error when so much would be shown
 * that it is nobody's recipe. */
ReadingPlace *reading_place_new(const char *directory, GError **error);
void reading_place_free(ReadingPlace *place);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReadingPlace, reading_place_free)

/* Whether PATH is DIRECTORY or lies in it. */
gboolean reading_is_below(const char *path, const char *directory);

/* reading-git.c: covers what of a repository's directory is nobody's business: addresses and headers of its
 * configuration, which can hold passwords, and what was done when. What git needs to read commits stays. */
void reading_cover_git(Sandbox *sandbox, const char *git);

/* reading.c: what git needs to read the repository of PLACE, whose top is shown already. */
void reading_add_git(Sandbox *sandbox, const ReadingPlace *place);

/* Has git read repositories of other users, and write nothing. */
void reading_trust_git(Sandbox *sandbox);

/* The text of a git configuration without the sections that say where and as whom to fetch; owned by the
 * caller. */
char *reading_git_config(const char *text);

/* reading-index.c: whether the repository GIT (its own directory and the one that it shares) tracks
 * something in DIRECTORY, a path relative to the top of its working tree, or DIRECTORY is in one of its
 * submodules. */
gboolean reading_git_tracks(const char *git, const char *git_common, const char *directory);

/* The same, of an index with hashes of HASH_SIZE bytes. */
gboolean reading_index_concerns(const guint8 *bytes, gsize length, gsize hash_size, const char *directory);

/* reading-environment.c: the variables of ENVIRONMENT ("NAME=VALUE", NULL-terminated) that a script with
 * TEXT gets: those that it names, if they are short words and are not called like a secret. RET_WITHHELD are
 * the names of those that it names and does not get; both are NULL-terminated and owned by the caller. */
char **reading_environment(const char *text, char *const *environment, char ***ret_withheld);
