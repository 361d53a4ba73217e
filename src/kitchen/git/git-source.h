/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where recipes come from: the program particleos-kitchen-fetch, or a stand-in for tests. Both functions block and may be
 * called by several threads. */

#include <gio/gio.h>

typedef struct {
    const char *url, *branch;
} GitPlace;

typedef struct {
    char *path;             /* of an archive (tar) that the caller owns and removes */
    char *author, *subject; /* of the commit; may be NULL */
} GitTree;

void git_tree_clear(GitTree *tree);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GitTree, git_tree_clear)

typedef struct GitSource GitSource;
struct GitSource {
    /* The commit that the branch points to, owned by the caller. */
    char *(*resolve)(GitSource *source, const GitPlace *place, GError **error);
    /* The tree of COMMIT. */
    gboolean (*fetch)(GitSource *source, const GitPlace *place, const char *commit, GitTree *ret_tree, GError **error);
    void (*free)(GitSource *source);
};

static inline void git_source_free(GitSource *source) {
    if (source)
        source->free(source);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GitSource, git_source_free)

/* PROGRAM is particleos-kitchen-fetch. Archives are made in the directory WORK. ROOTS (NULL-terminated; may be NULL) are the
 * directories below which repositories of this machine may lie. */
GitSource *git_source_new_program(const char *program, const char *work, const char *const *roots);
