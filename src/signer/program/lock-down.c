/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/program/lock-down.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/errors.h"
#include "base/secret.h"

/* What reading files, writing the log, threads, timers and the libraries of tokens need. Everything else
 * fails. */
static const int allowed[] = {
        SCMP_SYS(accept),
        SCMP_SYS(accept4),
        SCMP_SYS(access),
        SCMP_SYS(arch_prctl),
        SCMP_SYS(bind),
        SCMP_SYS(brk),
        SCMP_SYS(clock_getres),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(clock_nanosleep),
        SCMP_SYS(clone),
        SCMP_SYS(clone3),
        SCMP_SYS(close),
        SCMP_SYS(close_range),
        SCMP_SYS(connect),
        SCMP_SYS(dup),
        SCMP_SYS(dup3),
        SCMP_SYS(epoll_create1),
        SCMP_SYS(epoll_ctl),
        SCMP_SYS(epoll_pwait),
        SCMP_SYS(epoll_wait),
        SCMP_SYS(eventfd2),
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
        SCMP_SYS(faccessat),
        SCMP_SYS(faccessat2),
        SCMP_SYS(fadvise64),
        SCMP_SYS(fallocate),
        SCMP_SYS(fchmod),
        SCMP_SYS(fchmodat),
        SCMP_SYS(fchown),
        SCMP_SYS(fcntl),
        SCMP_SYS(fdatasync),
        SCMP_SYS(flock),
        SCMP_SYS(fstat),
        SCMP_SYS(fstatfs),
        SCMP_SYS(fsync),
        SCMP_SYS(ftruncate),
        SCMP_SYS(futex),
        SCMP_SYS(getcpu),
        SCMP_SYS(getcwd),
        SCMP_SYS(getdents64),
        SCMP_SYS(getegid),
        SCMP_SYS(geteuid),
        SCMP_SYS(getgid),
        SCMP_SYS(getpeername),
        SCMP_SYS(getpgrp),
        SCMP_SYS(getpid),
        SCMP_SYS(getppid),
        SCMP_SYS(getrandom),
        SCMP_SYS(getresgid),
        SCMP_SYS(getresuid),
        SCMP_SYS(getrlimit),
        SCMP_SYS(getrusage),
        SCMP_SYS(getsockname),
        SCMP_SYS(getsockopt),
        SCMP_SYS(gettid),
        SCMP_SYS(gettimeofday),
        SCMP_SYS(getuid),
        SCMP_SYS(ioctl),
        SCMP_SYS(kill),
        SCMP_SYS(lseek),
        SCMP_SYS(lstat),
        SCMP_SYS(madvise),
        SCMP_SYS(membarrier),
        SCMP_SYS(memfd_create),
        SCMP_SYS(mkdir),
        SCMP_SYS(mkdirat),
        SCMP_SYS(mmap),
        SCMP_SYS(mprotect),
        SCMP_SYS(mremap),
        SCMP_SYS(munmap),
        SCMP_SYS(nanosleep),
        SCMP_SYS(newfstatat),
        SCMP_SYS(open),
        SCMP_SYS(openat),
        SCMP_SYS(pipe2),
        SCMP_SYS(poll),
        SCMP_SYS(ppoll),
        SCMP_SYS(prctl),
        SCMP_SYS(pread64),
        SCMP_SYS(preadv),
        SCMP_SYS(preadv2),
        SCMP_SYS(prlimit64),
        SCMP_SYS(pwrite64),
        SCMP_SYS(read),
        SCMP_SYS(readlink),
        SCMP_SYS(readlinkat),
        SCMP_SYS(readv),
        SCMP_SYS(recvfrom),
        SCMP_SYS(recvmsg),
        SCMP_SYS(rename),
        SCMP_SYS(renameat),
        SCMP_SYS(renameat2),
        SCMP_SYS(restart_syscall),
        SCMP_SYS(rmdir),
        SCMP_SYS(rseq),
        SCMP_SYS(rt_sigaction),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(rt_sigtimedwait),
        SCMP_SYS(sched_getaffinity),
        SCMP_SYS(sched_getattr),
        SCMP_SYS(sched_getparam),
        SCMP_SYS(sched_getscheduler),
        SCMP_SYS(sched_setattr),
        SCMP_SYS(sched_yield),
        SCMP_SYS(sendmsg),
        SCMP_SYS(sendto),
        SCMP_SYS(set_robust_list),
        SCMP_SYS(set_tid_address),
        SCMP_SYS(setsockopt),
        SCMP_SYS(shutdown),
        SCMP_SYS(sigaltstack),
        SCMP_SYS(stat),
        SCMP_SYS(statfs),
        SCMP_SYS(statx),
        SCMP_SYS(sysinfo),
        SCMP_SYS(tgkill),
        SCMP_SYS(umask),
        SCMP_SYS(uname),
        SCMP_SYS(unlink),
        SCMP_SYS(unlinkat),
        SCMP_SYS(write),
        SCMP_SYS(writev),
};

void lock_down_memory(void) {
    struct rlimit none = {0, 0};

    secret_forbid_core_dumps();
    (void) setrlimit(RLIMIT_CORE, &none);
    (void) prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int add_rules(scmp_filter_ctx filter) {
    int result = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(allowed) && result == 0; i++) {
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
        /* A call that this architecture does not have. */
        if (result == -EDOM)
            result = 0;
    }
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
    return result;
}

gboolean lock_down_calls(GError **error) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int result = filter ? add_rules(filter) : -ENOMEM;

    if (result == 0)
        result = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    return result == 0 || set_errno_error(error, -result, "Cannot restrict the system calls of the signer");
}
