/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings of the kernel, and file systems that have them. Everything happens in mount namespaces that end
 * with the attempt. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CORE_PATTERN "/proc/sys/kernel/core_pattern"

static bool core_pattern(void) {
    return can_open(CORE_PATTERN, O_WRONLY);
}

static int open_setting(const char *path, const struct stat *info, int type, struct FTW *ftw) {
    /* Namespaces of one's own have settings of one's own. */
    if (strncmp(path, "/proc/sys/net", 13) == 0)
        return 0;
    return type == FTW_F && (info->st_mode & 0222) && can_open(path, O_WRONLY);
}

static bool any_setting(void) {
    return nftw("/proc/sys", open_setting, 16, FTW_PHYS | FTW_MOUNT) == 1;
}

static bool magic_key(void) {
    return can_open("/proc/sysrq-trigger", O_WRONLY);
}

static bool interrupts_bound(void) {
    return can_open("/proc/irq/default_smp_affinity", O_WRONLY) || can_open("/proc/mtrr", O_WRONLY);
}

static bool settings_remounted(void) {
    enter_own_mounts();
    mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL);
    mount(NULL, "/proc", NULL, MS_REMOUNT | MS_BIND, NULL);
    return core_pattern();
}

static bool settings_uncovered(void) {
    enter_own_mounts();
    while (umount2("/proc/sys", MNT_DETACH) == 0)
        ;
    return core_pattern();
}

static bool settings_bound_elsewhere(void) {
    enter_own_mounts();
    mkdir("/tmp/proc", 0755);
    if (mount("/proc", "/tmp/proc", NULL, MS_BIND, NULL) < 0)
        return false;
    return can_open("/tmp/proc/sys/kernel/core_pattern", O_WRONLY);
}

static bool new_proc(void) {
    enter_own_mounts();
    if (unshare(CLONE_NEWPID) < 0)
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        mkdir("/tmp/new-proc", 0755);
        _exit(mount("proc", "/tmp/new-proc", "proc", 0, NULL) == 0 &&
                                can_open("/tmp/new-proc/sys/kernel/core_pattern", O_WRONLY)
                        ? 42
                        : 0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

/* A new file system of TYPE, and FILE in it opened with FLAGS. */
static bool file_system(const char *type, const char *file, int flags) {
    char path[512];
    enter_own_mounts();
    snprintf(path, sizeof path, "/tmp/%s", type);
    mkdir(path, 0755);
    if (mount("none", path, type, 0, NULL) < 0)
        return false;
    snprintf(path, sizeof path, "/tmp/%s/%s", type, file);
    return can_open(path, flags);
}

static bool sysfs(void) {
    unshare(CLONE_NEWNET);
    return file_system("sysfs", "kernel", O_RDONLY);
}

static bool devtmpfs(void) {
    return file_system("devtmpfs", ".", O_RDONLY);
}

static bool bpf_file_system(void) {
    return file_system("bpf", ".", O_RDONLY);
}

static bool tracing(void) {
    return file_system("tracefs", ".", O_RDONLY) || file_system("debugfs", ".", O_RDONLY);
}

static bool security(void) {
    return file_system("securityfs", ".", O_RDONLY);
}

static bool control_groups(void) {
    unshare(CLONE_NEWCGROUP);
    return file_system("cgroup2", "cgroup.procs", O_WRONLY);
}

/* Calls JUDGE with every mount point, and whether it is read-only, until one answers true. */
static bool any_mount(bool (*judge)(const char *target, bool read_only)) {
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    char line[8192], target[4096], options[512];
    while (mounts && fgets(line, sizeof line, mounts))
        if (sscanf(line, "%*d %*d %*s %*s %4095s %511s", target, options) == 2 &&
                judge(target, strncmp(options, "ro", 2) == 0))
            return true;
    return false;
}

static bool remount(const char *target, bool read_only) {
    return read_only && strncmp(target, "/proc/", 6) != 0 &&
           mount(NULL, target, NULL, MS_REMOUNT | MS_BIND, NULL) == 0;
}

static bool read_only_remounted(void) {
    enter_own_mounts();
    return any_mount(remount);
}

static bool uncover(const char *target, bool read_only) {
    return strcmp(target, "/") != 0 && umount2(target, MNT_DETACH) == 0;
}

static bool mounts_uncovered(void) {
    enter_own_mounts();
    return any_mount(uncover);
}

const Probe mount_probes[] = {
        {"core-pattern", core_pattern},
        {"any-setting", any_setting},
        {"magic-key", magic_key},
        {"interrupts-bound", interrupts_bound},
        {"settings-remounted", settings_remounted},
        {"settings-uncovered", settings_uncovered},
        {"settings-bound-elsewhere", settings_bound_elsewhere},
        {"new-proc", new_proc},
        {"sysfs", sysfs},
        {"devtmpfs", devtmpfs},
        {"bpf-file-system", bpf_file_system},
        {"tracing", tracing},
        {"security-file-system", security},
        {"control-groups", control_groups},
        {"read-only-remounted", read_only_remounted},
        {"mounts-uncovered", mounts_uncovered},
        {},
};
