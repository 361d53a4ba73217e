/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The database of a repository (REPOSITORY.db): a compressed tar archive with a directory NAME-VERSION for each
 * package, and the file "desc" (desc.h) in it. */

#include <glib.h>

/* The packages in the database that FD is open for: name to PacmanDesc. NULL with ERROR set when it is damaged, too
 * large, or describes two packages of one name. FD is read from where it stands. */
GHashTable *pacman_database_read(int fd, GError **error);

/* The same for the file PATH. */
GHashTable *pacman_database_read_file(const char *path, GError **error);
