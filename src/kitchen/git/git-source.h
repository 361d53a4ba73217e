/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where recipes come from: the program particleos-kitchen-fetch, or a stand-in for tests. Both functions block and may be
 * called by several threads. */

#include <gio/gio.h>

typedef struct {
    const char *url, *branch;
    const char *secrets; /* credential_git_secrets() of the project; NULL: none */
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

typedef struct {
    const char *program;         /* particleos-kitchen-fetch */
    const char *work;            /* directory where archives are made */
    const char *const *roots;    /* directories below which repositories of this machine may lie; may be NULL */
    const char *const *networks; /* that hosts may be in although they are not public; may be NULL */
    const char *authorities;     /* file with certificates of those who vouch for hosts; NULL: the system's */
} GitSourceSettings;

GitSource *git_source_new_program(const GitSourceSettings *settings);
