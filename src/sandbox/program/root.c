/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc < 2.36 lacks wrappers, and its <sys/mount.h> clashes with <linux/mount.h> before 2.37. */
#define MOUNT_PRIVATE (1UL << 18)
#define MOUNT_RECURSIVE 0x4000UL
#define UMOUNT_DETACH 2
#define REPLACED_MAX 100
extern int mount(const char *, const char *, const char *, unsigned long, const void *);
extern int umount2(const char *, int);

/* The new root directory, and a file system for the content of --file. Both are mounted over "/" while the
 * process still has the old root directory, so that no path in it gets covered. */
static int root_fd, scratch_fd;

/* Opens PATH with symbolic links resolved inside of the new root. */
static int open_in_root(const char *path, int flags) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return syscall(SYS_openat2, root_fd, path, &how, sizeof how);
}

void join_paths(char *buffer, const char *format, const char *first, const char *second) {
    if (snprintf(buffer, PATH_MAX, format, first, second) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        fail("%s", first);
    }
}

static void make_missing(const char *path, bool directory, mode_t mode, unsigned depth);

/* PARENT/NAME exists and leads nowhere: makes what it points to, so that REST can be made inside of it. */
static void make_link_target(
        int parent_fd, const char *parent, const char *name, bool directory, mode_t mode, unsigned depth) {
    char link[PATH_MAX], path[PATH_MAX];
    ssize_t length = readlinkat(parent_fd, name, link, sizeof link - 1);
    if (length < 0)
        fail("cannot read the link %s/%s", parent, name);
    if (depth == 0) {
        errno = ELOOP;
        fail("cannot make %s/%s", parent, name);
    }
    link[length] = '\0';
    if (link[0] == '/')
        join_paths(path, "%s%s", link, "");
    else
        join_paths(path, "%s/%s", parent, link);
    make_missing(path, directory, mode, depth - 1);
}

/* Makes PARENT/NAME. */
static void make_one(const char *parent, const char *name, bool directory, mode_t mode, unsigned depth) {
    int parent_fd = open_in_root(*parent ? parent : "/", O_PATH | O_DIRECTORY);
    if (parent_fd < 0)
        fail("cannot open %s", parent);
    int r = directory ? mkdirat(parent_fd, name, mode) : mknodat(parent_fd, name, S_IFREG | mode, 0);
    if (r < 0 && errno == EEXIST)
        make_link_target(parent_fd, parent, name, directory, mode, depth);
    else if (r < 0)
        fail("cannot make the mount point %s/%s", parent, name);
    close(parent_fd);
}

/* Makes PATH and its parents where they are missing. */
static void make_missing(const char *path, bool directory, mode_t mode, unsigned depth) {
    char whole[PATH_MAX];
    join_paths(whole, "%s%s", path, "");
    for (char *c = whole + strspn(whole, "/"); *c; c += strspn(c, "/")) {
        char *name = c;
        c += strcspn(c, "/");
        bool last = c[strspn(c, "/")] == '\0';
        char end = *c;
        *c = '\0';
        int fd = open_in_root(whole, O_PATH);
        if (fd >= 0) {
            close(fd);
        } else if (errno != ENOENT) {
            fail("cannot open %s", whole);
        } else {
            char parent[PATH_MAX];
            size_t length = name - whole;
            while (length > 0 && whole[length - 1] == '/')
                length--;
            memcpy(parent, whole, length);
            parent[length] = '\0';
            make_one(parent, name, !last || directory, last ? mode : 0755, depth);
        }
        *c = end;
    }
}

/* An O_PATH descriptor of the mount point TARGET, which is made if it is missing. */
static int open_target(const char *target, bool directory, mode_t mode) {
    int fd = open_in_root(target, O_PATH);
    if (fd >= 0)
        return fd;
    make_missing(target, directory, mode, 16);
    fd = open_in_root(target, O_PATH);
    if (fd < 0)
        fail("cannot open the mount point %s", target);
    return fd;
}

/* Returns false with errno when MOUNT_FD cannot be mounted on TARGET. */
static bool try_attach(int mount_fd, const char *target, mode_t mode) {
    struct stat st;
    if (fstat(mount_fd, &st) < 0)
        fail("cannot look at what goes to %s", target);
    int target_fd = open_target(target, S_ISDIR(st.st_mode), mode & (S_ISDIR(st.st_mode) ? 07777 : 0666));
    int r = move_mount_to(mount_fd, target_fd, "");
    int number = errno;
    close(target_fd);
    errno = number;
    return r >= 0;
}

void attach(int mount_fd, const char *target, mode_t mode) {
    if (!try_attach(mount_fd, target, mode))
        fail("cannot mount on %s", target);
    close(mount_fd);
}

/* Device nodes work where they are asked for by name. */
static bool is_device_source(const char *source) {
    return strcmp(source, "/dev") == 0 || strncmp(source, "/dev/", 5) == 0;
}

static void open_source(const Instructions *instructions, Operation *operation) {
    operation->tree_fd = open_tree_at(AT_FDCWD, operation->source, TREE_RECURSIVE);
    if (operation->tree_fd < 0) {
        if (operation->optional && (errno == ENOENT || errno == ENOTDIR))
            return;
        fail("cannot open %s", operation->source);
    }
    bool stranger = instructions->privileges != PRIVILEGES_HOST;
    bool devices = is_device_source(operation->source);
    /* Nodes are read-only, as in mount_dev(). */
    if (restrict_mount(operation->tree_fd, operation->read_only || (stranger && devices),
                stranger && !devices, TREE_RECURSIVE) < 0)
        fail("cannot restrict the mount of %s", operation->source);
}

/* Others replace files like /etc/group of the host at any time, and the kernel does not mount one that is not there any
 * more: then the new one is taken. */
static void attach_source(const Instructions *instructions, Operation *operation) {
    for (unsigned attempt = 1; !try_attach(operation->tree_fd, operation->target, 0755); attempt++) {
        if (errno != ENOENT || attempt == REPLACED_MAX)
            fail("cannot mount on %s", operation->target);
        close(operation->tree_fd);
        open_source(instructions, operation);
        if (operation->tree_fd < 0)
            return;
    }
    close(operation->tree_fd);
}

static int open_layer(const char *path) {
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        fail("cannot open %s", path);
    return fd;
}

/* Layers are named by descriptors: no path is too long then, and none needs quoting. They stay open until
 * the root directory is complete (keep_descriptors()). */
static void mount_overlay(const Operation *operation, bool user_xattr) {
    char options[4096] = "", part[64];
    for (size_t i = 0; i < operation->lower_count; i++) {
        snprintf(part, sizeof part, "%s/proc/self/fd/%d", i == 0 ? "lowerdir=" : ":",
                open_layer(operation->lowers[i]));
        if (strlen(options) + strlen(part) + 200 > sizeof options)
            fail_plain("too many layers for %s", operation->target);
        strcat(options, part);
    }
    if (operation->upper) {
        int work_fd = open_layer(operation->work);
        /* A volatile mount marks its working directory; the mark of an earlier one has no meaning for us. */
        unlinkat(work_fd, "work/incompat/volatile/dirty", 0);
        unlinkat(work_fd, "work/incompat/volatile", AT_REMOVEDIR);
        unlinkat(work_fd, "work/incompat", AT_REMOVEDIR);
        snprintf(part, sizeof part, ",upperdir=/proc/self/fd/%d", open_layer(operation->upper));
        strcat(options, part);
        snprintf(part, sizeof part, ",workdir=/proc/self/fd/%d,volatile", work_fd);
        strcat(options, part);
    }
    strcat(options, ",index=off,metacopy=off,redirect_dir=nofollow");
    if (user_xattr)
        strcat(options, ",userxattr");

    int target_fd = open_target(operation->target, true, 0755);
    char target[32];
    snprintf(target, sizeof target, "/proc/self/fd/%d", target_fd);
    if (mount("overlay", target, "overlay", 0, options) < 0)
        fail("cannot mount an overlay on %s (%s)", operation->target, options);
    close(target_fd);
}

static void make_symlink(const Operation *operation) {
    char parent[PATH_MAX];
    join_paths(parent, "%s%s", operation->target, "");
    char *slash = strrchr(parent, '/');
    const char *name = operation->target + (slash ? slash - parent + 1 : 0);
    if (slash)
        *slash = '\0';
    int parent_fd = open_target(slash && *parent ? parent : "/", true, 0755);
    if (symlinkat(operation->source, parent_fd, name) < 0) {
        char old[PATH_MAX];
        ssize_t length = errno == EEXIST ? readlinkat(parent_fd, name, old, sizeof old) : -1;
        if (length != (ssize_t) strlen(operation->source) || memcmp(old, operation->source, length) != 0)
            fail("cannot make the link %s", operation->target);
    }
    close(parent_fd);
}

int new_file(const char *content, mode_t mode, const char *target) {
    static unsigned number;
    char name[32];
    snprintf(name, sizeof name, "%u", number++);
    int fd = openat(scratch_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        fail("cannot make the content of %s", target);
    for (const char *c = content; *c;) {
        ssize_t n = write(fd, c, strlen(c));
        if (n < 0)
            fail("cannot write the content of %s", target);
        c += n;
    }
    close(fd);
    int mount_fd = open_tree_at(scratch_fd, name, 0);
    if (mount_fd < 0 || restrict_mount(mount_fd, true, true, 0) < 0)
        fail("cannot make the content of %s", target);
    return mount_fd;
}

/* Covers what is there, and not the target of a link, with something empty that nobody can write to. */
static void make_mask(const Operation *operation) {
    static unsigned number;
    int target_fd = open_in_root(operation->target, O_PATH | O_NOFOLLOW);
    if (target_fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return;
    struct stat st;
    if (target_fd < 0 || fstat(target_fd, &st) < 0)
        fail("cannot look at %s to hide it", operation->target);
    if (S_ISLNK(st.st_mode)) {
        close(target_fd);
        return;
    }
    char name[32];
    snprintf(name, sizeof name, "mask%u", number++);
    int made = S_ISDIR(st.st_mode) ? mkdirat(scratch_fd, name, 0555)
                                   : mknodat(scratch_fd, name, S_IFREG | 0444, 0);
    int mount_fd = made < 0 ? -1 : open_tree_at(scratch_fd, name, 0);
    if (mount_fd < 0 || restrict_mount(mount_fd, true, true, 0) < 0 ||
            move_mount_to(mount_fd, target_fd, "") < 0)
        fail("cannot hide %s", operation->target);
    close(mount_fd);
    close(target_fd);
}

static void perform(const Instructions *instructions, Operation *operation) {
    switch (operation->type) {
    case OPERATION_BIND:
        if (operation->tree_fd >= 0)
            attach_source(instructions, operation);
        break;
    case OPERATION_TMPFS:
        attach(new_tmpfs("0755"), operation->target, 0755);
        break;
    case OPERATION_OVERLAY:
        mount_overlay(operation, instructions->user_xattr);
        break;
    case OPERATION_SYMLINK:
        make_symlink(operation);
        break;
    case OPERATION_FILE:
        attach(new_file(operation->source, operation->mode, operation->target), operation->target, 0644);
        break;
    case OPERATION_MASK:
        make_mask(operation);
        break;
    case OPERATION_API:
        mount_api(instructions, operation->target);
        break;
    }
}

static void open_root(const Instructions *instructions) {
    scratch_fd = new_tmpfs("0700");
    if (move_mount_to(scratch_fd, AT_FDCWD, "/") < 0)
        fail("cannot mount the scratch directory");
    if (!instructions->root)
        root_fd = new_tmpfs("0755");
    else
        root_fd = open_tree_at(AT_FDCWD, instructions->root, TREE_RECURSIVE);
    if (root_fd < 0)
        fail("cannot open %s", instructions->root);
    if (restrict_mount(root_fd, false, instructions->privileges != PRIVILEGES_HOST, TREE_RECURSIVE) < 0)
        fail("cannot restrict the mount of the root directory");
    if (move_mount_to(root_fd, AT_FDCWD, "/") < 0)
        fail("cannot mount the new root directory");
}

static void pivot(void) {
    int old_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (old_fd < 0)
        fail("cannot open /");
    if (fchdir(root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        fail("cannot enter the new root directory");
    /* The old root is mounted over the new one now, and the scratch directory over the old one. */
    if (fchdir(old_fd) < 0 || umount2(".", UMOUNT_DETACH) < 0 || umount2(".", UMOUNT_DETACH) < 0)
        fail("cannot leave the old root directory");
    if (chdir("/") < 0)
        fail("cannot change to /");
    close(old_fd);
}

void enter_root(const Instructions *instructions) {
    if (unshare(CLONE_NEWNS) < 0)
        fail("cannot enter a mount namespace");
    if (mount(NULL, "/", NULL, MOUNT_RECURSIVE | MOUNT_PRIVATE, NULL) < 0)
        fail("cannot make mounts private");
    for (size_t i = 0; i < instructions->operation_count; i++)
        if (instructions->operations[i].type == OPERATION_BIND)
            open_source(instructions, &instructions->operations[i]);

    umask(0);
    open_root(instructions);
    for (size_t i = 0; i < instructions->operation_count; i++)
        perform(instructions, &instructions->operations[i]);
    if (instructions->root_read_only && restrict_mount(root_fd, true, false, 0) < 0)
        fail("cannot make the root directory read-only");
    pivot();
    umask(022);
}
