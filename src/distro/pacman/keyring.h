/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whom pacman trusts: a GnuPG home made by pacman-key from the keyrings of the tools, those that SandboxTrees= bring,
 * and the one that is fetched (RepositoryKeyFetch=). Nothing of the host's own pacman is in it. */

#include "distro/driver/driver.h"

/* Makes the home in the workspace, or takes the one that was made from the same keyrings before; nothing is done when
 * it is there, or nothing is verified (RepositoryKeyCheck=no). */
gboolean pacman_keyring_prepare(DistroSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;
