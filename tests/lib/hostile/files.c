/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of the host, by every path and descriptor that leads out. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/fs.h>

static bool secret_below(const char *directory) {
    char path[8192];
    snprintf(path, sizeof path, "%s%s", directory, HOST_SECRET);
    return file_contains(path, "SECRET");
}

static bool host_file_read(void) {
    return secret_below("");
}

static bool host_file_written(void) {
    int fd = open(HOST_DIRECTORY "/written", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    return fd >= 0;
}

static bool host_file_above(void) {
    return secret_below("../../../../../../../../../../..") || secret_below("/..") ||
           secret_below("/proc/self/cwd/../../../../..");
}

static bool chroot_walk(void) {
    char directory[] = "/tmp/chroot-XXXXXX";
    if (!mkdtemp(directory) || chroot(directory) < 0)
        return false;
    for (int i = 0; i < 64; i++)
        if (chdir("..") < 0)
            return false;
    if (chroot(".") < 0)
        return false;
    return host_file_read();
}

static bool root_of_process_1(void) {
    return secret_below("/proc/1/root") || can_open("/proc/1/root/.", O_RDONLY);
}

static bool directory_of_process_1(void) {
    return secret_below("/proc/1/cwd") || can_open("/proc/1/cwd/.", O_RDONLY);
}

/* From each directory that somebody holds open, upwards. */
static bool walk_descriptors(const char *process) {
    char path[8192];
    for (int fd = 0; fd < 128; fd++) {
        snprintf(path, sizeof path, "/proc/%s/fd/%d/../../../../../../../../../../..", process, fd);
        if (secret_below(path))
            return true;
    }
    return false;
}

static bool descriptors_of_process_1(void) {
    for (int fd = 0; fd < 128; fd++) {
        char path[64], link[64];
        snprintf(path, sizeof path, "/proc/1/fd/%d", fd);
        if (can_open(path, O_RDONLY) || readlink(path, link, sizeof link) > 0)
            return true;
    }
    return walk_descriptors("1");
}

static bool own_descriptors_lead_out(void) {
    return walk_descriptors("self");
}

static bool inherited_descriptors(void) {
    for (int fd = 3; fd < 4096; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            return true;
    return false;
}

/* What was opened for reading opens for writing, too, where it is a file with a path. */
static bool standard_descriptors_reopened(void) {
    for (int fd = 0; fd < 3; fd++) {
        char path[64], link[512] = "";
        struct stat info;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && readlink(path, link, sizeof link - 1) > 0 &&
                strncmp(link, "/memfd:", 7) != 0 && can_open(path, O_RDWR))
            return true;
    }
    return false;
}

static bool by_handle(int mount_fd, int type, const void *handle, unsigned length) {
    union {
        struct file_handle handle;
        char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } h = {.handle = {.handle_bytes = length, .handle_type = type}};
    memcpy(h.handle.f_handle, handle, length);
    return reached(open_by_handle_at(mount_fd, &h.handle, O_RDONLY));
}

/* Inode 2 is the root directory of the file system, whatever part of it is mounted here. */
static bool root_by_handle(void) {
    static const unsigned ino_gen[] = {2, 0};
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && by_handle(fd, 1 /* FILEID_INO32_GEN */, ino_gen, sizeof ino_gen);
}

static bool handle_made(void) {
    union {
        struct file_handle handle;
        char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } h = {.handle.handle_bytes = MAX_HANDLE_SZ};
    int id;
    return name_to_handle_at(AT_FDCWD, "/", &h.handle, &id, 0) == 0;
}

static bool immutable_file(void) {
    char path[] = "immutable-XXXXXX";
    int fd = mkstemp(path), flags = FS_IMMUTABLE_FL, none = 0;
    if (fd < 0)
        return false;
    bool made = ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
    ioctl(fd, FS_IOC_SETFLAGS, &none);
    unlink(path);
    return made;
}

static bool trusted_attribute(void) {
    char path[] = "trusted-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        return false;
    unlink(path);
    return fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) == 0;
}

const Probe file_probes[] = {
        {"host-file-read", host_file_read},
        {"host-file-written", host_file_written},
        {"host-file-above", host_file_above},
        {"chroot-walk", chroot_walk},
        {"root-of-process-1", root_of_process_1},
        {"directory-of-process-1", directory_of_process_1},
        {"descriptors-of-process-1", descriptors_of_process_1},
        {"own-descriptors-lead-out", own_descriptors_lead_out},
        {"inherited-descriptors", inherited_descriptors},
        {"standard-descriptors-reopened", standard_descriptors_reopened},
        {"root-by-handle", root_by_handle},
        {"handle-made", handle_made},
        {"immutable-file", immutable_file},
        {"trusted-attribute", trusted_attribute},
        {},
};
