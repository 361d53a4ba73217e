/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading dpkg's status file (deb822 paragraphs, see deb-control(5)). */

#include <glib.h>

/* The installed packages in TEXT, the content of a status file: elements DistroInstalled, sorted by name and
 * architecture. What is not understood is passed over. */
GPtrArray *dpkg_status_parse(const char *text);

/* The same for a tree; empty when it has no status file. */
GPtrArray *dpkg_installed(int root_fd, GError **error);
