/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Builds at the same time share the metadata of repositories: whoever fetches it is alone with it, because apt finds
 * nothing, or half of it, while another one replaces the files. */

#include "distro/distro-ops.h"

/* Waits until nobody fetches metadata into the package cache (FETCH: and nobody reads it). Returns the descriptor of
 * the lock, which is held until it is closed; -1 with ERROR set, also when the build is interrupted meanwhile. */
int metadata_lock(const DistroSession *session, gboolean fetch, GError **error);
