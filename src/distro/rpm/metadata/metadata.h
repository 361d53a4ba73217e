/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The metadata of repositories in the package cache: CACHE/metadata/ID-HASH/repodata, as dnf names it, or
 * CACHE/metadata/raw/ID/repodata, as zypper does. */

#include "distro/driver/driver.h"

/* TRUE when the metadata of the session's repositories is there, as it was when it was fetched. */
gboolean rpm_have_metadata(DistroSession *session);

/* Makes the metadata in CACHE, where all of it belongs to the session's repositories, new. */
typedef gboolean (*RpmFetch)(DistroSession *session, GError **error);
gboolean rpm_sync_metadata(DistroSession *session, RpmFetch fetch, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean rpm_check_metadata(DistroSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The lists of packages (primary.xml) of the repository ID: paths, the newest last; owned by the caller. */
GPtrArray *rpm_package_lists(const DistroSession *session, const char *id);

/* Digest over what there is to install and what configures the choice. */
GChecksum *rpm_digest_metadata(DistroSession *session);

GPtrArray *rpm_list_repositories(DistroSession *session, GError **error);
