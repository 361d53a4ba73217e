/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A /proc of the PID namespace, without what belongs to the whole machine. Root of a user namespace that
 * maps root to itself owns the files in /proc/sys, whatever its capabilities are, so that these have to be
 * read-only. The mounts are locked later (program.c), which also keeps everybody inside from mounting a
 * /proc without them. */

#include "mounts.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What everybody may read, but nobody here shall: keys of all users. */
static bool is_secret(const char *name) {
    return strcmp(name, "keys") == 0 || strcmp(name, "key-users") == 0;
}

static void cover(int proc_fd, const char *name, int mount_fd) {
    if (mount_fd < 0 || move_mount_to(mount_fd, proc_fd, name) < 0)
        fail("cannot protect /proc/%s", name);
    close(mount_fd);
}

static void make_entry_read_only(int proc_fd, const char *name) {
    int mount_fd = open_tree_at(proc_fd, name, TREE_RECURSIVE);
    if (mount_fd < 0 || restrict_mount(mount_fd, true, false, TREE_RECURSIVE) < 0)
        fail("cannot make /proc/%s read-only", name);
    cover(proc_fd, name, mount_fd);
}

/* Directories and whatever can be written become read-only, what not everybody may read becomes empty. */
static void protect_entry(int proc_fd, const char *name) {
    struct stat info;
    if (fstatat(proc_fd, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
        fail("cannot look at /proc/%s", name);
    if (S_ISREG(info.st_mode) && (is_secret(name) || !(info.st_mode & S_IROTH)))
        cover(proc_fd, name, new_file("", 0444, name));
    else if (S_ISDIR(info.st_mode) || (S_ISREG(info.st_mode) && (info.st_mode & 0222)))
        make_entry_read_only(proc_fd, name);
}

/* Processes own what is in their directories. */
static void protect(int proc_fd) {
    int list_fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = list_fd >= 0 ? fdopendir(list_fd) : NULL;
    if (!list)
        fail("cannot read /proc");
    for (struct dirent *entry; (entry = readdir(list));)
        if (*entry->d_name != '.' && !isdigit((unsigned char) *entry->d_name))
            protect_entry(proc_fd, entry->d_name);
    closedir(list);
}

void mount_proc(const Instructions *instructions, const char *target) {
    int fd = new_file_system(
            "proc", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, (const char *const[]){NULL});
    /* A container whose own /proc has covered parts may not have a fresh one. The old one shows what else
     * runs there. */
    if (fd < 0 && errno == EPERM && instructions->weak)
        fd = open_tree_at(AT_FDCWD, "/proc", TREE_RECURSIVE);
    else if (fd < 0 && errno == EPERM)
        fail("cannot mount a /proc of its own; a container can be the reason, whose processes then become "
             "visible "
             "inside of the sandbox if --weak-sandbox allows that");
    int keep = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (keep < 0)
        fail("cannot mount /proc");
    attach(fd, target, 0555);
    protect(keep);
    close(keep);
}
