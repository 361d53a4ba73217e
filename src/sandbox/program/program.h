/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* particleos-sandbox: enters namespaces, builds a root directory, becomes init of a PID namespace and runs
 * one program in it. Uses nothing but libc and libseccomp, and is short enough to be read in one sitting:
 *
 *   instructions.c   the command line to a struct
 *   namespaces.c     user, PID, IPC, UTS, cgroup and network namespaces
 *   root.c           mounts and pivot_root
 *   filter.c         seccomp
 *   main.c           the three processes: the watcher outside, init inside, the program
 *
 * With --host there are no namespaces, only the watcher and the program: for programs that work on the host
 * itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef enum {
    OPERATION_BIND,
    OPERATION_TMPFS,
    OPERATION_OVERLAY,
    OPERATION_SYMLINK,
    OPERATION_FILE,
    OPERATION_API, /* /proc, /dev, /tmp, /run, /var/tmp below a directory */
} OperationType;

typedef struct {
    OperationType type;
    const char *source; /* bind: path; symlink: text; file: content */
    const char *target;
    bool read_only;
    bool optional;
    mode_t mode;               /* file */
    const char *const *lowers; /* overlay: top first, LOWER_COUNT of them */
    size_t lower_count;
    const char *upper, *work; /* overlay: NULL when read-only */
    int tree_fd;              /* bind: the opened source */
} Operation;

typedef struct {
    const char *root; /* NULL: an empty tmpfs */
    bool root_read_only;
    Operation *operations;
    size_t operation_count;
    char **environment;
    size_t environment_count;
    const char *directory;
    bool network;
    bool host; /* no namespaces and no root directory of its own */
    bool suppress_sync;
    bool suppress_chown;
    bool user_xattr;
    bool interactive;
    int *pass_fds;
    size_t pass_fd_count;
    int listen_fd; /* handed on as sd_listen_fds(3) expects it; -1: none */
    pid_t parent;  /* 0: the parent may go */
    int status_fd; /* -1: none */
    char **argv;
} Instructions;

/* instructions.c: ARGC/ARGV are main()'s. Options may also be in a file of NUL-terminated strings on a
 * descriptor ("--args FD"). */
void instructions_parse(Instructions *instructions, int argc, char **argv);

/* namespaces.c: enters everything but the mount namespace. The PID namespace begins with the next fork. */
void enter_namespaces(bool network);

/* root.c: called in a PID namespace's init; leaves the process in a new root directory. */
void enter_root(const Instructions *instructions);

/* filter.c */
void install_filter(bool suppress_sync, bool suppress_chown);

/* main.c: says what failed, with errno's text, to whoever waits for it, and exits. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void fail_plain(const char *format, ...) __attribute__((format(printf, 1, 2)));
