/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which packages pacman would install, and with which files: pacman answers with names, the databases of the
 * repositories say the rest. */

#include "distro/driver/driver.h"

/* A package and where it comes from. */
typedef struct {
    DistroPackage *package;
    char *repository;
} PacmanChoice;

/* What installing PACKAGES (and, if BOOTSTRAP, the distribution's base) into ROOT (NULL: an empty tree) takes, by name
 * of the file: elements PacmanChoice. */
GPtrArray *pacman_choose(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error);

/* The packages of CHOICES: elements DistroPackage (borrowed). */
GPtrArray *pacman_choice_packages(GPtrArray *choices);

/* Appends what --sync shall install: the base as it was chosen if BOOTSTRAP, and PACKAGES. */
gboolean pacman_add_targets(
        GPtrArray *argv, DistroSession *session, char *const *packages, gboolean bootstrap, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Operation of the driver; see distro.h. */
GPtrArray *pacman_resolve(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error);

/* Reads TEXT, choices as they are kept under a key (resolve-cache.h), a line each; NULL when a line is not understood.
 * For fuzzing. */
GPtrArray *pacman_choices_parse(const char *text);
