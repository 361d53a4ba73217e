/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What repositories say about themselves: fetched and verified by apt, then kept in the package cache. apt
 * verifies it when it fetches it and never again, so what it was then is recorded. */

#include "distro/driver/driver.h"

/* The sources file of the session, as text; owned by the caller. */
char *apt_sources_text(DistroSession *session);

/* Operations of the driver; see distro.h. */
char *apt_repositories(DistroSession *session);
gboolean apt_have_metadata(DistroSession *session);
gboolean apt_sync(DistroSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* FALSE with ERROR set when the cache has metadata that is not what was verified, or too old for the recipe.
 * Warns where old metadata is no error. */
gboolean apt_check_metadata(DistroSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;
