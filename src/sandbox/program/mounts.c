/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

int open_tree_at(int dir_fd, const char *path, unsigned flags) {
    return syscall(SYS_open_tree, dir_fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

int move_mount_to(int mount_fd, int dir_fd, const char *path) {
    unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH);
    return syscall(SYS_move_mount, mount_fd, "", dir_fd, path, flags);
}

int restrict_mount(int mount_fd, bool read_only, bool no_devices, unsigned flags) {
    struct mount_attr attributes = {
            .attr_set = (read_only ? MOUNT_ATTR_RDONLY : 0) | (no_devices ? MOUNT_ATTR_NODEV : 0)};
    if (attributes.attr_set == 0)
        return 0;
    return syscall(SYS_mount_setattr, mount_fd, "", AT_EMPTY_PATH | flags, &attributes, sizeof attributes);
}

int new_file_system(const char *type, unsigned attributes, const char *const *options) {
    int context = syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
    if (context < 0)
        return -1;
    int fd = -1;
    bool good = true;
    for (; good && *options; options += 2)
        good = syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, options[0], options[1], 0) == 0;
    if (good && syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        fd = syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
    int error = errno;
    close(context);
    errno = error;
    return fd;
}

int new_tmpfs(const char *mode) {
    int fd = new_file_system("tmpfs", MOUNT_ATTR_NODEV, (const char *const[]){"mode", mode, NULL});
    if (fd < 0)
        fail("cannot make a tmpfs");
    return fd;
}
