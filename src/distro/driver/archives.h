/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The package files in the cache: each is what the verified index says, or it is not used. */

#include "distro/driver/driver.h"

/* TRUE when all files of PACKAGES (DistroPackage) are in the cache and right. Changes nothing but the record of what
 * was read. */
gboolean archives_complete(DistroSession *session, GPtrArray *packages);

/* Checks the files of PACKAGES in the cache, of which the caller has the lock (cache-lock.h). What is missing or wrong
 * is removed; its names are returned (owned by the caller), with a warning for each that was wrong. NULL with ERROR set
 * when files could not be read or removed. */
GPtrArray *archives_check(DistroSession *session, GPtrArray *packages, GError **error);

/* Takes the files of PACKAGES that SHARED, a cache that others can write to, has and the session's own has
 * not. They are as unchecked as before. */
gboolean archives_copy(DistroSession *session, GPtrArray *packages, const char *shared, GError **error) G_GNUC_WARN_UNUSED_RESULT;
