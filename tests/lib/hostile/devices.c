/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes of the host's devices: their mode, owner, times and attributes are those of a file of the host. Each
 * attempt sets what is there already, so that nothing changes where it succeeds. */
#include "probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

typedef bool (*Change)(int fd, const char *path, const struct stat *old);

/* Memory devices and /dev/tty: terminals of one's own are no files of the host. */
static bool is_node(const struct stat *st) {
    return S_ISCHR(st->st_mode) && (major(st->st_rdev) == 1 || st->st_rdev == makedev(5, 0));
}

static bool try_path(const char *path, Change change) {
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    bool worked = fd >= 0 && fstat(fd, &st) == 0 && is_node(&st) && change(fd, path, &st);
    if (fd >= 0)
        close(fd);
    return worked;
}

/* Every node in /dev, and whatever was there at the start, through its descriptor. */
static bool any_node(Change change) {
    char path[512];
    for (int fd = 0; fd < 64; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (try_path(path, change))
            return true;
    }
    DIR *dir = opendir("/dev");
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        snprintf(path, sizeof path, "/dev/%s", entry->d_name);
        if (try_path(path, change))
            return true;
    }
    return false;
}

static bool change_mode(int fd, const char *path, const struct stat *old) {
    return chmod(path, old->st_mode & 07777) == 0;
}

static bool change_owner(int fd, const char *path, const struct stat *old) {
    return chown(path, old->st_uid, old->st_gid) == 0;
}

static bool change_times(int fd, const char *path, const struct stat *old) {
    return utimensat(AT_FDCWD, path, (struct timespec[]){old->st_atim, old->st_mtim}, 0) == 0;
}

/* An access control list that says what the mode says is not kept. */
static bool change_list(int fd, const char *path, const struct stat *old) {
    struct {
        uint32_t version;
        struct {
            uint16_t tag, mode;
            uint32_t id;
        } entries[3];
    } list = {2, {{1, old->st_mode >> 6 & 7, UINT32_MAX}, {4, old->st_mode >> 3 & 7, UINT32_MAX},
                         {0x20, old->st_mode & 7, UINT32_MAX}}};
    return setxattr(path, "system.posix_acl_access", &list, sizeof list, 0) == 0;
}

/* Through a descriptor that can be written to. */
static bool change_opened(int fd, const char *path, const struct stat *old) {
    int opened = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    bool worked = opened >= 0 && fchmod(opened, old->st_mode & 07777) == 0;
    if (opened >= 0)
        close(opened);
    return worked;
}

static bool device_mode(void) {
    return any_node(change_mode);
}

static bool device_mode_opened(void) {
    return any_node(change_opened);
}

static bool device_owner(void) {
    return any_node(change_owner);
}

static bool device_times(void) {
    return any_node(change_times);
}

static bool device_list(void) {
    return any_node(change_list);
}

/* What standard descriptors are themselves, not what is called so. */
static bool device_mode_inherited(void) {
    for (int fd = 0; fd < 64; fd++) {
        struct stat st;
        if (fstat(fd, &st) == 0 && is_node(&st) && fchmod(fd, st.st_mode & 07777) == 0)
            return true;
    }
    return false;
}

const Probe device_probes[] = {
        {"device-mode", device_mode},
        {"device-mode-opened", device_mode_opened},
        {"device-mode-inherited", device_mode_inherited},
        {"device-owner", device_owner},
        {"device-times", device_times},
        {"device-access-list", device_list},
        {},
};
