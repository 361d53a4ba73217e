/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* particleos-sandbox: enters namespaces, builds a root directory, becomes init of a PID namespace and runs
 * one program in it, which is a stranger: it gets what the command line lists, and nothing that happens to
 * be there. Uses nothing but libc and libseccomp, and is short enough to be read in one sitting:
 *
 *   instructions.c   the command line to a struct
 *   main.c           the start; messages about what failed
 *   watcher.c        the process outside: ends the sandbox when its parent ends, carries the terminal
 *   init.c           process 1 of the sandbox: builds it, starts the program, reaps orphans
 *   command.c        the program, until it is executed
 *   namespaces.c     user, PID, IPC, UTS, cgroup and network namespaces
 *   root.c           the root directory and what is mounted in it; mounts.c has the calls, api.c and proc.c
 * /dev and /proc descriptors.c    which descriptors a process keeps privileges.c     keyring, capabilities,
 * abstract sockets filter.c         system calls terminal.c       a terminal for the program
 *
 * Who is where:
 *
 *   watcher    the caller's namespaces
 *   init       a user namespace that owns all the others
 *   program    a user namespace below that one, and a mount namespace of its own: it has no power over the
 * namespaces around it, cannot look into init, and cannot undo a mount
 *
 * Both user namespaces map every ID to itself, so that files have the owners that they shall have.
 *
 * With --host there are no namespaces, only the watcher and the program: for programs that work on the host
 * itself.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

typedef enum {
    OPERATION_BIND,
    OPERATION_TMPFS,
    OPERATION_OVERLAY,
    OPERATION_SYMLINK,
    OPERATION_FILE,
    OPERATION_MASK,
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

/* How much of root's powers the program has, over its own user namespace. */
typedef enum {
    PRIVILEGES_TOOL,     /* files and users; nothing that it executes has more */
    PRIVILEGES_PACKAGES, /* the same, and setuid programs work: maintainer scripts call su */
    PRIVILEGES_SCRIPT,   /* all: it may mount, make namespaces and trace its own processes */
    PRIVILEGES_HOST,     /* no user namespace: for programs of the host that work on its devices */
} Privileges;

typedef struct {
    const char *root; /* NULL: an empty tmpfs */
    bool root_read_only;
    Operation *operations;
    size_t operation_count;
    char **environment;
    size_t environment_count;
    const char *directory;
    Privileges privileges;
    bool weak; /* goes on without what the kernel does not allow */
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
    char *text; /* the memory that all of this points to, if it is not the command line itself */
    size_t text_size;
} Instructions;

/* instructions.c: ARGC/ARGV are main()'s. Options may also be in a file of NUL-terminated strings on a
 * descriptor ("--args FD"). */
void instructions_parse(Instructions *instructions, int argc, char **argv);

/* main.c: say what failed, fail() with errno's text, to whoever waits for it, and exit. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void fail_plain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The program has ended with the wait status STATUS. */
void report_end(int status);
/* What a shell makes of a wait status. */
int exit_status(int wait_status);
/* Nobody reads in this process's memory what the caller said. */
void forget_instructions(Instructions *instructions);

/* watcher.c: the rest of the process. PARENT_FD becomes readable when the parent dies (-1: it may),
 * SIGNAL_FD is a signalfd. */
_Noreturn void run_in_sandbox(Instructions *instructions, int parent_fd, int signal_fd);
_Noreturn void run_on_host(const Instructions *instructions, int parent_fd, int signal_fd);

/* namespaces.c */
typedef struct {
    bool all; /* every ID of the caller's user namespace, or only the caller's own */
    char users[4096], groups[4096];
} Identities;

bool may_administer(void);
/* What user namespaces map: every ID to itself. */
void plan_identities(Identities *identities);
/* Gives PROCESS, a directory in PROC_FD, its identities. Only its parent user namespace can. */
void give_identities(const Identities *identities, int proc_fd, const char *process);
/* fork() into new namespaces (CLONE_NEW...); -1 with errno. */
pid_t fork_into(unsigned long flags);
/* IPC, UTS, cgroup and network namespaces. */
void enter_namespaces(bool network);

/* init.c: the rest of the process. SOCKET_FD leads to the watcher. IDENTITIES is NULL where there are no
 * user namespaces. */
_Noreturn void be_init(Instructions *instructions, int socket_fd, const Identities *identities);

/* root.c: called in a PID namespace's init; leaves the process in a new root directory. */
void enter_root(const Instructions *instructions);

/* command.c: becomes the program. TERMINAL_FD: its terminal, or -1. */
_Noreturn void run_command(const Instructions *instructions, int terminal_fd);

/* descriptors.c: closes everything but the COUNT descriptors in FDS (-1 among them is ignored). */
void keep_descriptors(const int *fds, size_t count);
void send_descriptor(int socket_fd, int fd);
/* -1 when the other side has none to give. */
int receive_descriptor(int socket_fd);
/* One message over a socket between our processes. hear() returns its length, and ends the process when the
 * other one has ended. */
void tell(int socket_fd, const void *data, size_t length);
size_t hear(int socket_fd, void *data, size_t size);

/* privileges.c */
void join_own_keyring(void);
/* No way to abstract sockets outside, which have no path that could be hidden. */
void scope_sockets(void);
void forbid_new_privileges(void);
/* Keeps what PRIVILEGES_TOOL and PRIVILEGES_PACKAGES need. */
void drop_capabilities(void);

/* filter.c */
void install_filter(const Instructions *instructions);

/* terminal.c: the program has a terminal of its own if it is interactive and the caller has one. */
bool terminal_is_wanted(const Instructions *instructions);
/* Returns the master; its size and settings are those of the caller's terminal. */
int terminal_open(int *ret_slave);
/* Makes SLAVE the controlling terminal of this session, and what is a terminal among descriptors 0 to 2. */
void terminal_take(int slave);
void terminal_copy_size(int from, int to);

/* Between the caller's terminal and the program's. Does nothing where there is no master (-1). */
typedef struct {
    int master, in, out;
    struct termios saved;
    char typed[1024];
    size_t pending;
} Relay;

void relay_start(Relay *relay, int master);
/* The caller's terminal is as it was. */
void relay_stop(Relay *relay);
void relay_resize(const Relay *relay);
/* Fills two elements, and moves what they say. */
void relay_poll_for(const Relay *relay, struct pollfd *fds);
void relay_move(Relay *relay, const struct pollfd *fds);
/* Shows what the program has written before it ended. */
void relay_drain(Relay *relay);
