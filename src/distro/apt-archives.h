/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The package files in the cache: each is what the verified index says, or it is not used. */

#include "distro/distro-ops.h"

/* Checks the files of PACKAGES (DistroPackage) in the cache. What is missing or wrong is removed; its names
 * are returned (owned by the caller), with a warning for each that was wrong. NULL with ERROR set when files
 * could not be read or removed. */
GPtrArray *apt_archives_check(DistroSession *session, GPtrArray *packages, GError **error);

/* Takes the files of PACKAGES that SHARED, a cache that others can write to, has and the session's own has
 * not. They are as unchecked as before. */
gboolean apt_archives_copy(DistroSession *session, GPtrArray *packages, const char *shared, GError **error);
