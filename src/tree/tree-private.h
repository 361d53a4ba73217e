/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/cleanup.h"
#include "tree/tree.h"

#include <sys/stat.h>

/* Sets ERROR from errno: "MESSAGE: strerror". Always FALSE. */
gboolean tree_set_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* openat2() below TREE_FD with links resolved as after chroot; -1 with errno. */
int tree_open_raw(int tree_fd, const char *path, int flags, mode_t mode);

/* Opens the directory PATH of the tree for reading and makes it and its parents (MODE, parents 0755) where
 * they are missing, also what a dangling link points to; -1 with ERROR. */
int tree_open_directory(int tree_fd, const char *path, mode_t mode, GError **error);

/* Splits PATH into its directory ("" for the root) and its last component; both owned by the caller. The
 * last component is "" when PATH is the root itself. */
void tree_split_path(const char *path, char **ret_directory, char **ret_name);

/* Opens NAME for reading its entries without following links or crossing into another mount; -1 with errno.
 */
int tree_open_entry_directory(int dir_fd, const char *name);

/* Makes room for something that is not a directory: removes NAME (an empty directory or anything else). */
gboolean tree_make_room(int dir_fd, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sets the extended attribute of what FD (or, if it is -1, DIR_FD/NAME) is. What this system cannot store
 * because of its own policy (SELinux labels, trusted.* in a user namespace) is left out. */
gboolean tree_set_xattr(int dir_fd, const char *name, int fd, const char *attribute, const void *value,
        gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Called for each extended attribute, in the order of their names; overlayfs' own are left out. */
typedef gboolean (*TreeXattr)(
        const char *attribute, const void *value, gsize length, gpointer data, GError **error);
gboolean tree_each_xattr(
        int dir_fd, const char *name, int fd, TreeXattr callback, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
