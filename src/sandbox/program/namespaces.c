/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t fork_into(unsigned long flags) {
    /* clone() of glibc wants a stack, and clone3() is forbidden inside of a sandbox. */
#if defined(__s390__) || defined(__s390x__)
    return syscall(SYS_clone, NULL, flags | SIGCHLD, NULL, NULL, 0);
#else
    return syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0);
#endif
}

static bool has_capabilities(const int *capabilities, size_t count) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, data) < 0)
        fail("cannot read capabilities");
    for (size_t i = 0; i < count; i++)
        if (!(data[CAP_TO_INDEX(capabilities[i])].effective & CAP_TO_MASK(capabilities[i])))
            return false;
    return true;
}

bool may_administer(void) {
    static const int wanted[] = {CAP_SYS_ADMIN};
    return has_capabilities(wanted, 1);
}

/* Every range of FILE in /proc/self, mapped to itself. */
static void read_ranges(int proc_fd, const char *file, char *map, size_t size) {
    char path[32], text[4096];
    snprintf(path, sizeof path, "self/%s", file);
    int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (length < 0)
        fail("cannot read /proc/self/%s", file);
    close(fd);
    text[length] = '\0';
    size_t used = 0;
    unsigned inside, outside, count;
    int consumed;
    for (char *c = text; sscanf(c, "%u %u %u%n", &inside, &outside, &count, &consumed) == 3; c += consumed) {
        used += snprintf(map + used, size - used, "%u %u %u\n", inside, inside, count);
        if (used >= size)
            fail_plain("too many ranges in /proc/self/%s", file);
    }
}

void plan_identities(Identities *identities) {
    static const int wanted[] = {CAP_SETUID, CAP_SETGID, CAP_SETFCAP};
    int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc_fd < 0)
        fail("cannot open /proc");
    identities->all = has_capabilities(wanted, 3);
    if (identities->all) {
        read_ranges(proc_fd, "uid_map", identities->users, sizeof identities->users);
        read_ranges(proc_fd, "gid_map", identities->groups, sizeof identities->groups);
    } else {
        snprintf(identities->users, sizeof identities->users, "%u %u 1\n", geteuid(), geteuid());
        snprintf(identities->groups, sizeof identities->groups, "%u %u 1\n", getegid(), getegid());
    }
    close(proc_fd);
}

static void write_of_process(int proc_fd, const char *process, const char *file, const char *text) {
    char path[64];
    snprintf(path, sizeof path, "%s/%s", process, file);
    int fd = openat(proc_fd, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        fail("cannot write /proc/%s", path);
    close(fd);
}

void give_identities(const Identities *identities, int proc_fd, const char *process) {
    write_of_process(proc_fd, process, "uid_map", identities->users);
    if (!identities->all)
        write_of_process(proc_fd, process, "setgroups", "deny");
    write_of_process(proc_fd, process, "gid_map", identities->groups);
}

static void bring_loopback_up(void) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return; /* A kernel without IPv4 has nothing to bring up. */
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        fail("cannot bring the loopback interface up");
    close(fd);
}

void enter_namespaces(bool network) {
    if (unshare(CLONE_NEWIPC | CLONE_NEWUTS) < 0)
        fail("cannot enter IPC and UTS namespaces");
    /* Builds see the same name everywhere. */
    static const char host_name[] = "localhost";
    if (sethostname(host_name, strlen(host_name)) < 0)
        fail("cannot set the host name");
    /* Kernels can be built without this one, and sandboxes inside of sandboxes may not have it: the program
     * has no power over either. */
    (void) unshare(CLONE_NEWCGROUP);
    if (!network) {
        if (unshare(CLONE_NEWNET) < 0)
            fail("cannot enter a network namespace");
        bring_loopback_up();
    }
}
