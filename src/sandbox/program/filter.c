/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* System calls that nothing in a sandbox has a use for, or that do what concerns the whole machine. Most of
 * them fail inside of a user namespace anyway; here they do not get as far as the code that decides so.
 *
 * What programs can do without is answered like a kernel that does not have it (ENOSYS, EOPNOTSUPP), because
 * programs are prepared for that: keys, handles, events. What only root may do is answered like a kernel
 * that asks for privileges. */

#include "program.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#define ELEMENTS(array) (sizeof(array) / sizeof *(array))

static const int sync_calls[] = {
        SCMP_SYS(fsync),
        SCMP_SYS(fdatasync),
        SCMP_SYS(sync_file_range),
        SCMP_SYS(sync_file_range2),
        SCMP_SYS(msync),
        SCMP_SYS(sync),
        SCMP_SYS(syncfs),
};

static const int chown_calls[] = {
        SCMP_SYS(chown),
        SCMP_SYS(chown32),
        SCMP_SYS(lchown),
        SCMP_SYS(lchown32),
        SCMP_SYS(fchown),
        SCMP_SYS(fchown32),
        SCMP_SYS(fchownat),
};

static const int missing_calls[] = {
        SCMP_SYS(add_key),
        SCMP_SYS(keyctl),
        SCMP_SYS(request_key),
        SCMP_SYS(pidfd_getfd),
        SCMP_SYS(bpf),
        SCMP_SYS(perf_event_open),
        SCMP_SYS(userfaultfd),
        SCMP_SYS(kexec_load),
        SCMP_SYS(kexec_file_load),
};

static const int privileged_calls[] = {
        SCMP_SYS(init_module),
        SCMP_SYS(finit_module),
        SCMP_SYS(delete_module),
        SCMP_SYS(reboot),
        SCMP_SYS(clock_settime),
        SCMP_SYS(clock_settime64),
        SCMP_SYS(settimeofday),
        SCMP_SYS(stime),
        SCMP_SYS(swapon),
        SCMP_SYS(swapoff),
        SCMP_SYS(open_by_handle_at),
        SCMP_SYS(syslog),
        SCMP_SYS(acct),
        SCMP_SYS(quotactl),
        SCMP_SYS(quotactl_fd),
        SCMP_SYS(iopl),
        SCMP_SYS(ioperm),
        SCMP_SYS(vhangup),
};

/* Programs that work on files have nothing to look for in other processes. Scripts may run a debugger, or a
 * leak checker, on their own processes; they see no others. */
static const int tracing_calls[] = {
        SCMP_SYS(ptrace),
        SCMP_SYS(process_vm_readv),
        SCMP_SYS(process_vm_writev),
        SCMP_SYS(kcmp),
};

static void check(int r) {
    /* EDOM: this architecture does not have the call. */
    if (r >= 0 || r == -EDOM)
        return;
    errno = -r;
    fail("cannot prepare the system call filter");
}

/* The calls do nothing; ERROR 0: and succeed. */
static void answer(scmp_filter_ctx filter, int error, const int *calls, size_t count) {
    for (size_t i = 0; i < count; i++)
        check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(error), calls[i], 0));
}

/* Whoever has a terminal cannot type on it for others. The kernel looks at 32 bits of the request. */
static void forbid_typing(scmp_filter_ctx filter) {
    static const unsigned long requests[] = {TIOCSTI, TIOCLINUX};
    for (size_t i = 0; i < ELEMENTS(requests); i++)
        check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffUL, requests[i])));
}

/* FLAG: CLONE_NEW... */
static void forbid_namespace(scmp_filter_ctx filter, unsigned long flag) {
    check(seccomp_rule_add(
            filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag)));
#if defined(__s390__) || defined(__s390x__)
    check(seccomp_rule_add(
            filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, flag, flag)));
#else
    check(seccomp_rule_add(
            filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag)));
#endif
}

/* A user namespace would give back all capabilities. In a new cgroup namespace root could mount and change
 * the control groups of the host. clone3() takes its flags from memory, where no filter sees them; everybody
 * knows how to use clone(). */
static void forbid_namespaces(scmp_filter_ctx filter, Privileges privileges) {
    static const int clone3 = SCMP_SYS(clone3);
    if (privileges == PRIVILEGES_HOST)
        return;
    if (privileges < PRIVILEGES_SCRIPT)
        forbid_namespace(filter, CLONE_NEWUSER);
    forbid_namespace(filter, CLONE_NEWCGROUP);
    answer(filter, ENOSYS, &clone3, 1);
}

/* Programs in the other ABIs of this kernel, which have other numbers for the same calls. */
static void add_other_abis(scmp_filter_ctx filter) {
    static const struct {
        uint32_t native, other;
    } abis[] = {
            {SCMP_ARCH_X86_64, SCMP_ARCH_X86},
            {SCMP_ARCH_X86_64, SCMP_ARCH_X32},
            {SCMP_ARCH_AARCH64, SCMP_ARCH_ARM},
            {SCMP_ARCH_S390X, SCMP_ARCH_S390},
            {SCMP_ARCH_PPC64, SCMP_ARCH_PPC},
            {SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL},
            {SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64N32},
    };
    for (size_t i = 0; i < ELEMENTS(abis); i++)
        if (seccomp_arch_native() == abis[i].native)
            check(seccomp_arch_add(filter, abis[i].other));
    /* There is no other one that we know. */
    check(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)));
}

static void add_rules(scmp_filter_ctx filter, const Instructions *instructions) {
    static const int handle = SCMP_SYS(name_to_handle_at);
    answer(filter, ENOSYS, missing_calls, ELEMENTS(missing_calls));
    answer(filter, EPERM, privileged_calls, ELEMENTS(privileged_calls));
    answer(filter, EOPNOTSUPP, &handle, 1);
    if (instructions->privileges < PRIVILEGES_SCRIPT)
        answer(filter, EPERM, tracing_calls, ELEMENTS(tracing_calls));
    forbid_typing(filter);
    forbid_namespaces(filter, instructions->privileges);
    if (instructions->suppress_sync)
        answer(filter, 0, sync_calls, ELEMENTS(sync_calls));
    if (instructions->suppress_chown)
        answer(filter, 0, chown_calls, ELEMENTS(chown_calls));
}

void install_filter(const Instructions *instructions) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        fail("cannot prepare the system call filter");
    add_other_abis(filter);
    /* Maintainer scripts call su and runuser, so only where the kernel insists. */
    check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0));
    add_rules(filter, instructions);
    int r = seccomp_load(filter);
    if (r == -EACCES || r == -EPERM) {
        forbid_new_privileges();
        r = seccomp_load(filter);
    }
    check(r);
    seccomp_release(filter);
}
