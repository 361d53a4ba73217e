/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nodes are files of the host. On a mount that is read-only devices can be written to, but the mode, owner
 * and times of the node cannot be changed. */
static void bind_device(int dev_fd, const char *name) {
    char source[64];
    snprintf(source, sizeof source, "/dev/%s", name);
    int mount_fd = open_tree_at(AT_FDCWD, source, 0);
    if (mount_fd < 0 && errno == ENOENT)
        return;
    if (mount_fd < 0 || restrict_mount(mount_fd, true, false, 0) < 0 ||
            mknodat(dev_fd, name, S_IFREG | 0666, 0) < 0 || move_mount_to(mount_fd, dev_fd, name) < 0)
        fail("cannot provide %s", source);
    close(mount_fd);
}

static void mount_dev(const char *target) {
    static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
    static const char *const links[][2] = {
            {"/proc/self/fd", "fd"},
            {"/proc/self/fd/0", "stdin"},
            {"/proc/self/fd/1", "stdout"},
            {"/proc/self/fd/2", "stderr"},
            {"pts/ptmx", "ptmx"},
    };
    int dev_fd = new_tmpfs("0755");
    int keep = fcntl(dev_fd, F_DUPFD_CLOEXEC, 3);
    if (keep < 0)
        fail("cannot keep /dev open");
    attach(dev_fd, target, 0755);
    dev_fd = keep;

    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        bind_device(dev_fd, devices[i]);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (symlinkat(links[i][0], dev_fd, links[i][1]) < 0)
            fail("cannot make /dev/%s", links[i][1]);
    if (mkdirat(dev_fd, "pts", 0755) < 0 || mkdirat(dev_fd, "shm", 01777) < 0)
        fail("cannot make directories in /dev");
    int fd = new_file_system("devpts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
            (const char *const[]){"mode", "0620", "ptmxmode", "0666", NULL});
    if (fd < 0 || move_mount_to(fd, dev_fd, "pts") < 0)
        fail("cannot mount /dev/pts");
    close(fd);
    fd = new_tmpfs("1777");
    if (move_mount_to(fd, dev_fd, "shm") < 0)
        fail("cannot mount /dev/shm");
    close(fd);
    close(dev_fd);
}

void mount_api(const Instructions *instructions, const char *directory) {
    static const struct {
        const char *name, *mode;
    } temporary[] = {{"tmp", "1777"}, {"run", "0755"}, {"var/tmp", "1777"}};
    char target[PATH_MAX];

    while (*directory == '/')
        directory++;
    join_paths(target, "/%s/%s", directory, "proc");
    mount_proc(instructions, target);
    join_paths(target, "/%s/%s", directory, "dev");
    mount_dev(target);
    for (size_t i = 0; i < sizeof temporary / sizeof *temporary; i++) {
        join_paths(target, "/%s/%s", directory, temporary[i].name);
        attach(new_tmpfs(temporary[i].mode), target, strtoul(temporary[i].mode, NULL, 8));
    }
}
