/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who changed the files of a recipe last, where git knows it. git runs in the sandbox of programs that a
 * recipe brings for its reading, on a configuration that names no program. */

#include <glib.h>

typedef struct {
    char *id; /* hex */
    char *author;
    char *subject;
} Commit;

typedef struct Commits Commits;

/* What git says of the repository of which DIRECTORY is a part. NULL without one, without git, and before
 * the first commit: a recipe needs none of it. */
Commits *commits_new(const char *directory);
void commits_free(Commits *commits);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Commits, commits_free)

/* The commit that is checked out. */
const char *commits_head(const Commits *commits);

/* Whether a file of the recipe's directory differs from that commit; files that git does not know do not
 * count. */
gboolean commits_are_dirty(const Commits *commits);

/* The top of the working tree, absolute and without links. */
const char *commits_top(const Commits *commits);

/* The last commit that touched the file PATH (absolute, without links); NULL when it is not known: older
 * than two thousand commits, or beyond what a shallow clone has. RET_DIRTY: the file is not as in any
 * commit. */
const Commit *commits_of_file(Commits *commits, const char *path, gboolean *ret_dirty);
