/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What dnf and zypper do in the same way: choosing, resolving once for the same question, downloading what is missing. */

#include "distro/driver/driver.h"
#include "sandbox/sandbox.h"

/* What a package manager of the family does in its own way. */
typedef struct RpmManager {
    /* The command that says what installing PACKAGES (BASE: and what an empty tree starts with) would do. It is what an
     * answer is kept for. */
    GPtrArray *(*question)(DistroSession *session, char *const *base, char *const *packages);
    /* Runs QUESTION over the tree ROOT (NULL: an empty one): elements RpmChoice. */
    GPtrArray *(*ask)(DistroSession *session, const char *root, GPtrArray *question, GError **error);
    /* Downloads what is missing of FILES (DistroPackage) into the cache. */
    gboolean (*fetch)(DistroSession *session, const char *root, char *const *base, char *const *packages,
            GPtrArray *files, GError **error);
} RpmManager;

/* What an empty tree starts with, exactly: settled before the recipe's packages have a say, because it is installed
 * first; NULL-terminated, borrowed. NULL with ERROR set when it cannot be resolved. */
char *const *rpm_base(DistroSession *session, GError **error);

/* As distro_resolve() and distro_download(). */
GPtrArray *rpm_resolve(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error);
gboolean rpm_download(DistroSession *session, const char *root, char *const *packages, gboolean bootstrap,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Indexes the local repository with createrepo_c: the same bytes for the same packages. */
gboolean rpm_index_local(DistroSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends copies of the NULL-terminated WORDS (NULL: none). */
void rpm_add_words(GPtrArray *argv, const char *const *words);

/* As the functions of distro.h that are called like them. Packages bring their own files of repositories into the image,
 * so it gets no configuration. */
char *rpm_metadata_digest(DistroSession *session);
char *rpm_image_configuration(DistroSession *session);
void rpm_sandbox_mounts(DistroSession *session, Sandbox *sandbox);
