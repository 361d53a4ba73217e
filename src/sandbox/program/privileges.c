/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the program could do beyond what it sees: keys, sockets without a path, privileges. */

#include "program.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What package managers and their scripts do: own files, become other users, change the root directory.
 * Everything else of root's powers over a user namespace opens parts of the kernel that nobody needs for
 * that. */
static const unsigned char kept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,
        CAP_FSETID, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_SETFCAP, CAP_SYS_CHROOT,
        CAP_NET_BIND_SERVICE};

static bool is_kept(unsigned capability) {
    for (size_t i = 0; i < sizeof kept; i++)
        if (kept[i] == capability)
            return true;
    return false;
}

void join_own_keyring(void) {
    /* A kernel without keys has none to give. */
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
        fail("cannot make a session keyring");
}

/* <linux/landlock.h> of older systems does not know the scopes. */
struct ruleset_attributes {
    uint64_t handled_access_fs, handled_access_net, scoped;
};
#define SCOPE_ABSTRACT_SOCKETS (1ULL << 0)
#define SCOPE_SIGNALS (1ULL << 1)
#define RULESET_VERSION (1U << 0)
#define FIRST_WITH_SCOPES 6
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif

void scope_sockets(void) {
    const struct ruleset_attributes attributes = {.scoped = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS};
    /* Before Linux 6.12 there is nothing to be done about them where the network is shared. */
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION) < FIRST_WITH_SCOPES)
        return;
    int fd = syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (fd < 0 || syscall(SYS_landlock_restrict_self, fd, 0) < 0)
        fail("cannot restrict abstract sockets");
    close(fd);
}

void forbid_new_privileges(void) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        fail("cannot forbid new privileges");
}

void drop_capabilities(void) {
    for (unsigned capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
        if (!is_kept(capability) && prctl(PR_CAPBSET_DROP, capability) < 0 && errno != EPERM)
            fail("cannot give up capabilities");
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);

    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, data) < 0)
        fail("cannot read capabilities");
    for (size_t i = 0; i < sizeof kept; i++)
        data[CAP_TO_INDEX(kept[i])].inheritable |= CAP_TO_MASK(kept[i]);
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        data[i].effective &= data[i].inheritable;
        data[i].permitted &= data[i].inheritable;
        data[i].inheritable = 0;
    }
    if (syscall(SYS_capset, &header, data) < 0)
        fail("cannot give up capabilities");
}
