/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a repository has anything to do with a directory in its working tree (gitformat-index(5)). */

#include <glib.h>

/* Whether the repository GIT (its own directory and the one that it shares) tracks
 * something in DIRECTORY, a path relative to the top of its working tree, or DIRECTORY is in one of its
 * submodules. */
gboolean reading_git_tracks(const char *git, const char *git_common, const char *directory);

/* The same, of an index with hashes of HASH_SIZE bytes. */
gboolean reading_index_concerns(const guint8 *bytes, gsize length, gsize hash_size, const char *directory);
