/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "program.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/prctl.h>

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

#define ELEMENTS(array) (sizeof(array) / sizeof *(array))

static void succeed_without_doing(scmp_filter_ctx filter, const int *calls, size_t count) {
    for (size_t i = 0; i < count; i++) {
        int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(0), calls[i], 0);
        /* EDOM: this architecture does not have the call. */
        if (r < 0 && r != -EDOM) {
            errno = -r;
            fail("cannot prepare the system call filter");
        }
    }
}

void install_filter(bool suppress_sync, bool suppress_chown) {
    if (!suppress_sync && !suppress_chown)
        return;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        fail("cannot prepare the system call filter");
    /* 32-bit programs are not ours to judge. */
    seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
    /* Maintainer scripts call su and runuser, so only where the kernel insists. */
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
    if (suppress_sync)
        succeed_without_doing(filter, sync_calls, ELEMENTS(sync_calls));
    if (suppress_chown)
        succeed_without_doing(filter, chown_calls, ELEMENTS(chown_calls));

    int r = seccomp_load(filter);
    if (r == -EACCES || r == -EPERM) {
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1);
        r = seccomp_load(filter);
    }
    if (r < 0) {
        errno = -r;
        fail("cannot install the system call filter");
    }
    seccomp_release(filter);
}
