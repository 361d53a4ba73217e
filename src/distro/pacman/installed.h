/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The database of installed packages in a tree: /var/lib/pacman/local, or /usr/lib/pacman/local where a recipe moved
 * it. */

#include "distro/driver/driver.h"

/* Operation of the driver; see distro.h. */
GPtrArray *pacman_installed(DistroSession *session, const char *root, GError **error);

/* The path of the database in the tree ROOT, made unless there is one; owned by the caller. Links in the tree are
 * followed as after chroot. */
char *pacman_find_database(const char *root, GError **error);

/* pacman notes when it installed each package: that becomes EPOCH (seconds since 1970), or stays when EPOCH is
 * negative. */
gboolean pacman_set_install_dates(const char *root, gint64 epoch, GError **error) G_GNUC_WARN_UNUSED_RESULT;
