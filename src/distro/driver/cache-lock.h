/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Builds at the same time share a package cache: the metadata of repositories, and the packages. apt's own locks are
 * off, because they would let a build fail where it can wait. */

#include "distro/driver/driver.h"

/* Waits until nobody fetches metadata into the package cache (FETCH: and nobody reads it): apt finds nothing, or half
 * of it, while another one replaces the files. Returns the descriptor of the lock, which is held until it is closed;
 * -1 with ERROR set, also when the build is interrupted meanwhile. */
int cache_lock_metadata(const DistroSession *session, gboolean fetch, GError **error);

/* Waits until nobody else downloads packages into the cache or removes wrong ones there: two apt that download the same
 * package write one file, and the second finds it gone. Taken before the metadata. Returns as cache_lock_metadata(). */
int cache_lock_packages(const DistroSession *session, GError **error);
