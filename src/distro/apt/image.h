/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What Debian's packages leave to do in an image. */

#include "distro/driver/driver.h"

/* After the base packages were installed: os-release of unstable names testing; it gets the codename "sid",
 * with a diversion so that updates inside of the image keep it. SANDBOX has dpkg and the tree at /buildroot.
 */
gboolean apt_image_fix_os_release(DistroSession *session, Sandbox *sandbox, int root_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* After packages were installed: an image with apt gets sources to install from
 * (/etc/apt/sources.list.d/RELEASE.sources, unless it has them), and partitions are discovered, which Ubuntu
 * masks. */
gboolean apt_image_finish(DistroSession *session, int root_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The sources that an image with apt gets, or NULL; owned by the caller. */
char *apt_image_configuration(DistroSession *session);
