/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "distro/driver/driver.h"

/* pacman made to act on the tree at /buildroot, for scripts. Operations of the driver; see distro.h. */
char **pacman_script_helpers(DistroSession *session);
void pacman_sandbox_mounts(DistroSession *session, Sandbox *sandbox);
