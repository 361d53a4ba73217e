/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Command lines of zypper that make it act on the tree at BUILDROOT of a sandbox. */

#include "distro/driver/driver.h"

/* zypper with all options that the image's configuration asks for: an array of strings that owns them, not terminated
 * yet. XML: it answers for programs. */
GPtrArray *zypper_command(DistroSession *session, gboolean xml);

/* Adds the operation "install" with its options. */
void zypper_add_install(GPtrArray *argv, DistroSession *session);

/* The package manager's programs for scripts: as distro_script_helpers(). */
char **zypper_script_helpers(DistroSession *session);
