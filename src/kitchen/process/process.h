/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Programs of ours that the build service starts: workers, builders, readers of repositories. They are no
 * strangers, who run in a sandbox; each of them is a process group of its own that can be killed as a whole,
 * and workers outlive a restart of the service. */

#include <glib.h>
#include <sys/types.h>

typedef struct {
    const char *const *argv;        /* NULL-terminated; the program is searched in $PATH */
    const char *const *environment; /* NULL-terminated; NULL: that of this process */
    const char *directory;          /* where it starts; NULL: here */
    int in, out, err;               /* descriptors that become the standard ones; -1: /dev/null */
    int events;                     /* handed on as descriptor 3; -1: none */
    gboolean dies_with_us;          /* SIGTERM when the thread that started it ends */
    gboolean apart;                 /* the first process of a PID and a mount namespace of its own; needs root */
} ProcessPlan;

/* Starts it in a session of its own. Returns its ID, to be reaped with process_reap(); -1 with ERROR set. */
pid_t process_start(const ProcessPlan *plan, GError **error);

/* TRUE when it has ended and was reaped; RET_STATUS (may be NULL) is its wait status. One that is no child of
 * ours has ended when it is not there. WAIT: until it ends. */
gboolean process_reap(pid_t pid, gboolean wait, int *ret_status);

/* Sends SIGNAL to the whole group of a process that was started here. */
void process_kill(pid_t pid, int number);

/* "PID:START": names a process beyond our own life; numbers of processes are used again, times of start are
 * not. A child that has ended has its name until it is reaped. NULL when it is not there. */
char *process_name(pid_t pid);
/* The process of that name; 0 when it is gone. */
pid_t process_find(const char *name);
