/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tree/tree-private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

gboolean tree_can_make_subvolumes(const char *directory) {
    struct statfs info;
    return statfs(directory, &info) == 0 && info.f_type == BTRFS_SUPER_MAGIC;
}

gboolean tree_make_subvolume(const char *path, GError **error) {
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    struct btrfs_ioctl_vol_args arguments = {0};
    AUTO_FD fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return tree_set_error(error, "cannot open %s", directory);
    if (strlen(name) > BTRFS_PATH_NAME_MAX) {
        errno = ENAMETOOLONG;
        return tree_set_error(error, "cannot make the subvolume %s", path);
    }
    memcpy(arguments.name, name, strlen(name));
    return ioctl(fd, BTRFS_IOC_SUBVOL_CREATE, &arguments) == 0 ||
           tree_set_error(error, "cannot make the subvolume %s", path);
}
