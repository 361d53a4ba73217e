/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bringing dpkg into an empty tree. Pre-installation scripts expect basic programs, so the files of the
 * essential packages are unpacked before dpkg starts; it then installs the same packages properly. */

#include <glib.h>

/* Makes the directories and empty databases that apt and dpkg need in the tree DIRECTORY/NAME. */
gboolean dpkg_prepare_root(const char *directory, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Unpacks the package files FILES into ROOT, with a merged /usr as ARCHITECTURE has it, and without the
 * paths that match EXCLUDE (or NULL; as in tree_extract_except()). */
gboolean dpkg_bootstrap(const char *root, const char *architecture, char *const *files,
        const char *const *exclude, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Keeps maintainer scripts from starting services (policy-rc.d), and allows it again. */
gboolean dpkg_deny_services(const char *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dpkg_allow_services(const char *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens the data archive (data.tar.*) inside the Debian package DEB: a descriptor to unpack from. */
int dpkg_open_data(const char *deb, GError **error);
