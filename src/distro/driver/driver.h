/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The table of operations that the driver of a family fills; the functions of distro.h that are called like them say
 * what each does. */

#include "distro/driver/types.h"
#include "recipe/result/image-config.h"
#include "sandbox/sandbox.h"

typedef struct DistroSession {
    const ImageConfig *config;
    const struct DistroOps *ops;
    char *workspace;
    char *sandbox_tree;
    char *package_cache;        /* what is used; only this user can write to it */
    char *shared_package_cache; /* the recipe's, when somebody else can write to that; NULL */
    gboolean cache_is_private;  /* PACKAGE_CACHE is in the workspace */
    char *local_repository;
    char *tools_tree;
    gboolean debug;
    gboolean fetches_metadata; /* and so has the lock of cache-lock.h */
    gboolean local_repository_indexed;
    gpointer state; /* the driver's own, made in setup() */
} DistroSession;

typedef struct DistroOps {
    const char *const *programs; /* whose work the tree is: paths below the tools tree, NULL-terminated */
    const char *const *files;    /* what package files are called: globs, NULL-terminated */
    const char *const *managers; /* an image that has one of them keeps its databases: paths, NULL-terminated */
    const char *(*architecture)(Architecture architecture);
    /* Also says what settings of the image the family does not know. */
    gboolean (*setup)(DistroSession *session, GError **error);
    GDestroyNotify free_state; /* NULL: there is none */
    char *(*repositories)(DistroSession *session);
    GPtrArray *(*list_repositories)(DistroSession *session, GError **error);
    char *(*image_configuration)(DistroSession *session);
    char *(*metadata_digest)(DistroSession *session);
    gboolean (*have_metadata)(DistroSession *session);
    gboolean (*sync)(DistroSession *session, GError **error);
    gboolean (*check_metadata)(DistroSession *session, GError **error);
    gboolean (*index_local_repository)(DistroSession *session, GError **error);
    GPtrArray *(*resolve)(
            DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error);
    gboolean (*download)(
            DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error);
    gboolean (*install)(DistroSession *session, const char *root, char *const *packages, gboolean bootstrap,
            DistroProgress progress, gpointer data, GError **error);
    gboolean (*remove)(DistroSession *session, const char *root, char *const *packages, GError **error);
    GPtrArray *(*installed)(DistroSession *session, const char *root, GError **error);
    char *(*changelog)(DistroSession *session, const char *root, const char *package);
    gboolean (*forget_installation)(DistroSession *session, const char *root, GError **error);
    gboolean (*clean_metadata)(int root_fd, GError **error);
    char **(*script_helpers)(DistroSession *session);
    void (*sandbox_mounts)(DistroSession *session, Sandbox *sandbox);
} DistroOps;
