/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The databases of repositories: fetched by pacman, then kept in the package cache, a folder for each set of
 * repositories, with a record of what they were when they were fetched. A session works on a copy of its own. */

#include "distro/driver/driver.h"

/* Operations of the driver; see distro.h. */
char *pacman_repositories(DistroSession *session);
GPtrArray *pacman_list_repositories(DistroSession *session, GError **error);
char *pacman_metadata_digest(DistroSession *session);
gboolean pacman_have_metadata(DistroSession *session);
gboolean pacman_sync(DistroSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean pacman_check_metadata(DistroSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Copies the databases into the workspace, unless they are there as the cache has them. FALSE with ERROR set when one of
 * them is not what was fetched. */
gboolean pacman_take_metadata(DistroSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The packages of REPOSITORY: name to PacmanDesc. Take the metadata before. */
GHashTable *pacman_read_database(DistroSession *session, const char *repository, GError **error);

/* Adds what there is to install, and what configures the choice, to CHECKSUM. Take the metadata before. */
gboolean pacman_digest_metadata(DistroSession *session, GChecksum *checksum, GError **error) G_GNUC_WARN_UNUSED_RESULT;
