/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The signatures beside the package files in the cache. No database has their digests, so what they were when pacman
 * had verified them is recorded; pacman verifies them once more when it installs. */

#include "distro/driver/driver.h"

/* TRUE when the signatures of all PACKAGES (DistroPackage) are those that were verified, or nobody asks for any. */
gboolean pacman_signatures_complete(DistroSession *session, GPtrArray *packages);

/* The names of the files of PACKAGES whose signatures are missing, unknown, or not those that were verified; the last
 * ones are removed, with a warning for each. NULL with ERROR set when one could not be removed. Owned by the caller. */
GPtrArray *pacman_signatures_check(DistroSession *session, GPtrArray *packages, GError **error);

/* Records the signatures of PACKAGES, which pacman has verified just now. */
gboolean pacman_signatures_record(
        DistroSession *session, GPtrArray *packages, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes the signatures of PACKAGES that SHARED, a cache that others can write to, has and the session's own has not.
 * They are as unknown as before. */
gboolean pacman_signatures_copy(
        DistroSession *session, GPtrArray *packages, const char *shared, GError **error) G_GNUC_WARN_UNUSED_RESULT;
