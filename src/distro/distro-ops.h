/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The table of operations that a distribution's driver fills; distro.h documents what each does. */

#include "distro/distro.h"
#include "sandbox/sandbox.h"

struct DistroSession {
    const ImageConfig *config;
    const struct DistroOps *ops;
    char *workspace;
    char *sandbox_tree;
    char *package_cache;        /* what is used; only this user can write to it */
    char *shared_package_cache; /* the recipe's, when somebody else can write to that; NULL */
    gboolean cache_is_private;  /* PACKAGE_CACHE is in the workspace */
    char *local_repository;
    char *tools_tree;
    char **base_packages; /* of the driver: what an empty tree starts with, by name; NULL: not asked yet */
    gboolean debug;
    gboolean fetches_metadata; /* and so has the lock of cache-lock.h */
    gboolean local_repository_indexed;
};

typedef struct DistroOps {
    const char *(*architecture)(Architecture architecture);
    gboolean (*setup)(DistroSession *session, GError **error);
    char *(*repositories)(DistroSession *session);
    GPtrArray *(*list_repositories)(DistroSession *session, GError **error);
    char *(*image_configuration)(DistroSession *session);
    char *(*metadata_digest)(DistroSession *session);
    gboolean (*have_metadata)(DistroSession *session);
    gboolean (*sync)(DistroSession *session, GError **error);
    gboolean (*check_metadata)(DistroSession *session, GError **error);
    gboolean (*index_local_repository)(DistroSession *session, GError **error);
    GPtrArray *(*resolve)(DistroSession *session, const char *root, char *const *packages,
            gboolean bootstrap, GError **error);
    gboolean (*download)(DistroSession *session, const char *root, char *const *packages, gboolean bootstrap,
            GError **error);
    gboolean (*install)(DistroSession *session, const char *root, char *const *packages, gboolean bootstrap,
            DistroProgress progress, gpointer data, GError **error);
    gboolean (*remove)(DistroSession *session, const char *root, char *const *packages, GError **error);
    GPtrArray *(*installed)(int root_fd, GError **error);
    gboolean (*clean_metadata)(int root_fd, GError **error);
    char **(*script_helpers)(DistroSession *session);
    void (*sandbox_mounts)(DistroSession *session, Sandbox *sandbox);
} DistroOps;

/* Debian and what is made like it: apt and dpkg. */
extern const DistroOps distro_apt_ops;

/* Distribution=custom. */
extern const DistroOps distro_custom_ops;
