/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool may_administer(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, data) < 0)
        fail("cannot read capabilities");
    return data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN);
}

static void write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        fail("cannot write %s", path);
    close(fd);
}

/* An ordinary user becomes able to mount things, and stays who he is. */
static void enter_user_namespace(void) {
    char map[64];
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(CLONE_NEWUSER) < 0)
        fail("cannot enter a user namespace (are they allowed? see sysctl user.max_user_namespaces)");
    snprintf(map, sizeof map, "%u %u 1", uid, uid);
    write_file("/proc/self/uid_map", map);
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "%u %u 1", gid, gid);
    write_file("/proc/self/gid_map", map);
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
    if (!may_administer())
        enter_user_namespace();
    if (unshare(CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
        fail("cannot enter PID, IPC and UTS namespaces");
    /* Builds see the same name everywhere. */
    static const char host_name[] = "localhost";
    if (sethostname(host_name, strlen(host_name)) < 0)
        fail("cannot set the host name");
    /* Kernels can be built without this one, and nothing here depends on it. */
    if (unshare(CLONE_NEWCGROUP) < 0 && errno != EINVAL && errno != ENOSPC)
        fail("cannot enter a cgroup namespace");
    if (!network) {
        if (unshare(CLONE_NEWNET) < 0)
            fail("cannot enter a network namespace");
        bring_loopback_up();
    }
}
