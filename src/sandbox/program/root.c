/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
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
extern int mount(const char *, const char *, const char *, unsigned long, const void *);
extern int umount2(const char *, int);

/* The new root directory, and a file system for the content of --file. Both are mounted over "/" while the
 * process still has the old root directory, so that no path in it gets covered. */
static int root_fd, scratch_fd;

static int open_tree_at(int dir_fd, const char *path, unsigned flags) {
    return syscall(SYS_open_tree, dir_fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

static int move_mount_to(int mount_fd, int dir_fd, const char *path) {
    unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH);
    return syscall(SYS_move_mount, mount_fd, "", dir_fd, path, flags);
}

static int make_read_only(int mount_fd, unsigned flags) {
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    return syscall(SYS_mount_setattr, mount_fd, "", AT_EMPTY_PATH | flags, &attributes, sizeof attributes);
}

/* A detached mount of a new file system; NULL-terminated key, value pairs follow. -1 with errno. */
static int new_file_system(const char *type, const char *const *options) {
    int context = syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
    if (context < 0)
        return -1;
    int fd = -1;
    bool good = true;
    for (; good && *options; options += 2)
        good = syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, options[0], options[1], 0) == 0;
    if (good && syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        fd = syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
    int error = errno;
    close(context);
    errno = error;
    return fd;
}

static int new_tmpfs(const char *mode) {
    int fd = new_file_system("tmpfs", (const char *const[]){"mode", mode, NULL});
    if (fd < 0)
        fail("cannot make a tmpfs");
    return fd;
}

/* Opens PATH with symbolic links resolved inside of the new root. */
static int open_in_root(const char *path, int flags) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return syscall(SYS_openat2, root_fd, path, &how, sizeof how);
}

/* Joins two parts of a path into BUFFER. */
static void join(char *buffer, const char *format, const char *first, const char *second) {
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
        join(path, "%s%s", link, "");
    else
        join(path, "%s/%s", parent, link);
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
    join(whole, "%s%s", path, "");
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

/* Takes over MOUNT_FD. A missing mount point gets MODE. */
static void attach(int mount_fd, const char *target, mode_t mode) {
    struct stat st;
    if (fstat(mount_fd, &st) < 0)
        fail("cannot look at what goes to %s", target);
    int target_fd = open_target(target, S_ISDIR(st.st_mode), mode & (S_ISDIR(st.st_mode) ? 07777 : 0666));
    if (move_mount_to(mount_fd, target_fd, "") < 0)
        fail("cannot mount on %s", target);
    close(target_fd);
    close(mount_fd);
}

static void open_source(Operation *operation) {
    operation->tree_fd = open_tree_at(AT_FDCWD, operation->source, AT_RECURSIVE);
    if (operation->tree_fd < 0) {
        if (operation->optional && (errno == ENOENT || errno == ENOTDIR))
            return;
        fail("cannot open %s", operation->source);
    }
    if (operation->read_only && make_read_only(operation->tree_fd, AT_RECURSIVE) < 0)
        fail("cannot make %s read-only", operation->source);
}

static int open_layer(const char *path) {
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        fail("cannot open %s", path);
    return fd;
}

/* Layers are named by descriptors: no path is too long then, and none needs quoting. They stay open until
 * the program starts. */
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
    join(parent, "%s%s", operation->target, "");
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

static void make_file(const Operation *operation, size_t number) {
    char name[32];
    snprintf(name, sizeof name, "%zu", number);
    int fd = openat(scratch_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, operation->mode);
    if (fd < 0)
        fail("cannot make the content of %s", operation->target);
    for (const char *c = operation->source; *c;) {
        ssize_t n = write(fd, c, strlen(c));
        if (n < 0)
            fail("cannot write the content of %s", operation->target);
        c += n;
    }
    close(fd);
    int mount_fd = open_tree_at(scratch_fd, name, 0);
    if (mount_fd < 0 || make_read_only(mount_fd, 0) < 0)
        fail("cannot make the content of %s", operation->target);
    attach(mount_fd, operation->target, 0644);
}

static void mount_proc(const char *target) {
    int fd = new_file_system("proc", (const char *const[]){NULL});
    /* A container whose own /proc has covered parts may not have a fresh one; the old one shows too much,
     * and works. */
    if (fd < 0 && errno == EPERM)
        fd = open_tree_at(AT_FDCWD, "/proc", AT_RECURSIVE);
    if (fd < 0)
        fail("cannot mount /proc");
    attach(fd, target, 0555);
}

static void bind_device(int dev_fd, const char *name) {
    char source[64];
    snprintf(source, sizeof source, "/dev/%s", name);
    int mount_fd = open_tree_at(AT_FDCWD, source, 0);
    if (mount_fd < 0 && errno == ENOENT)
        return;
    if (mount_fd < 0 || mknodat(dev_fd, name, S_IFREG | 0666, 0) < 0 ||
            move_mount_to(mount_fd, dev_fd, name) < 0)
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
    int fd = new_file_system("devpts", (const char *const[]){"mode", "0620", "ptmxmode", "0666", NULL});
    if (fd < 0 || move_mount_to(fd, dev_fd, "pts") < 0)
        fail("cannot mount /dev/pts");
    close(fd);
    fd = new_tmpfs("1777");
    if (move_mount_to(fd, dev_fd, "shm") < 0)
        fail("cannot mount /dev/shm");
    close(fd);
    close(dev_fd);
}

static void mount_api(const char *directory) {
    static const struct {
        const char *name, *mode;
    } temporary[] = {{"tmp", "1777"}, {"run", "0755"}, {"var/tmp", "1777"}};
    char target[PATH_MAX];

    while (*directory == '/')
        directory++;
    join(target, "/%s/%s", directory, "proc");
    mount_proc(target);
    join(target, "/%s/%s", directory, "dev");
    mount_dev(target);
    for (size_t i = 0; i < sizeof temporary / sizeof *temporary; i++) {
        join(target, "/%s/%s", directory, temporary[i].name);
        attach(new_tmpfs(temporary[i].mode), target, strtoul(temporary[i].mode, NULL, 8));
    }
}

static void perform(const Instructions *instructions, Operation *operation, size_t number) {
    switch (operation->type) {
    case OPERATION_BIND:
        if (operation->tree_fd >= 0)
            attach(operation->tree_fd, operation->target, 0755);
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
        make_file(operation, number);
        break;
    case OPERATION_API:
        mount_api(operation->target);
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
        root_fd = open_tree_at(AT_FDCWD, instructions->root, AT_RECURSIVE);
    if (root_fd < 0)
        fail("cannot open %s", instructions->root);
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
            open_source(&instructions->operations[i]);

    umask(0);
    open_root(instructions);
    for (size_t i = 0; i < instructions->operation_count; i++)
        perform(instructions, &instructions->operations[i], i);
    if (instructions->root_read_only && make_read_only(root_fd, 0) < 0)
        fail("cannot make the root directory read-only");
    pivot();
    umask(022);
}
