/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/secret.h"

#include <sys/prctl.h>
#include <sys/resource.h>

/* Linux takes no limit but this one for a reason not to start the program of core_pattern either; a file of one byte
 * there is none. A process that cannot be dumped (PR_SET_DUMPABLE) would lose its own /proc, and with it the means to
 * set up user namespaces. */
#define NOT_EVEN_A_PIPE 1

void secret_forbid_core_dumps(void) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_CORE, &limit) < 0)
        return;
    if (limit.rlim_max < NOT_EVEN_A_PIPE)
        limit.rlim_cur = 0;
    else
        limit.rlim_cur = NOT_EVEN_A_PIPE;
    (void) setrlimit(RLIMIT_CORE, &limit);
}

void secret_hide_process(void) {
    secret_forbid_core_dumps();
    prctl(PR_SET_DUMPABLE, 0);
}
