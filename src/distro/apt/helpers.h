/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "distro/driver/driver.h"

/* Programs of apt and dpkg made to act on the tree at /buildroot, for scripts; see distro_script_helpers().
 */
char **apt_script_helpers(DistroSession *session);
