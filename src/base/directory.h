/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a directory holds, in an order that does not depend on the file system: the names in it, sorted by byte,
 * without "." and "..". Lists are owned by the caller. */

#include <glib.h>

/* The names in the directory PATH. */
GPtrArray *list_directory(const char *path, GError **error);

/* The names in the directory PATH; none when it cannot be read. Never NULL. */
GPtrArray *list_directory_if_any(const char *path);

/* The names in the directory that FD is open for; takes over FD. The error is what errno means and nothing else:
 * callers say what they were doing. */
GPtrArray *list_directory_fd(int fd, GError **error);

/* The names in the directory NAME below DIR_FD; "." is DIR_FD itself. A symbolic link is not followed. The error is
 * as above. */
GPtrArray *list_directory_at(int dir_fd, const char *name, GError **error);

/* Whether PATH is DIRECTORY or lies in it. */
gboolean path_is_below(const char *path, const char *directory);
