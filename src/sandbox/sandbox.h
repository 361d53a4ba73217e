/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one place where children are started. A Sandbox says what a program sees (root, mounts, environment,
 * network, fsync or not) and sandbox_run() starts the small program particleos-sandbox, which enters the
 * namespaces and execs. Every child dies with us: it runs in its own PID namespace whose init gets a
 * parent-death signal. A sandbox belongs to the task (events/task.h) of the thread that makes it: that decides how programs
 * are watched (TaskFlags), and who cancels it ends them. */

#include <gio/gio.h>
#include <glib.h>
#include <sys/types.h>

#define SANDBOX_ERROR sandbox_error_quark()
GQuark sandbox_error_quark(void);

typedef enum {
    SANDBOX_ERROR_START,     /* the sandbox could not be set up */
    SANDBOX_ERROR_EXIT,      /* the program ended with a status other than 0 */
    SANDBOX_ERROR_SIGNAL,    /* the program was killed by a signal */
    SANDBOX_ERROR_CANCELLED, /* the task was cancelled (events/task.h) */
} SandboxError;

/* Makes this process root in a user namespace that maps the caller's UID to 0 and the caller's subuid and
 * subgid ranges to 1 and up (with newuidmap and newgidmap), unless it is root already; in both cases it
 * enters a mount namespace of its own, so that no mount outlives the process. Call before any thread exists.
 * Errors say what to add to /etc/subuid. */
gboolean sandbox_become_root(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same where nothing belongs to anybody else: the namespace maps the caller's UID and GID to 0 and nothing more, so
 * that no range and no program with more rights is needed. */
gboolean sandbox_become_root_alone(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* FALSE when this process is root of a user namespace only (entered by sandbox_become_root(), or by a
 * container around us): such a root cannot make device nodes, and overlays keep their marks in
 * user.overlay.* instead of trusted.overlay.* attributes. */
gboolean sandbox_is_real_root(void);

/* UID and GID of the caller before sandbox_become_root(). */
uid_t sandbox_caller_uid(void);
gid_t sandbox_caller_gid(void);

/* Path of the program particleos-sandbox, for those who want to hand it on into a sandbox. */
const char *sandbox_program(void);

typedef struct Sandbox Sandbox;

/* How much of root's powers a program has, over a user namespace of its own that maps every ID to itself;
 * none of them count outside. In each of them it has no keys of the caller, no terminal of the caller's, a
 * filter of system calls, and no descriptors but those that are handed on. */
typedef enum {
    /* The default: files of all users. Nothing that it executes has more. */
    SANDBOX_PRIVILEGES_TOOL,
    /* The same, and setuid programs work, for maintainer scripts of packages. */
    SANDBOX_PRIVILEGES_PACKAGES,
    /* It may mount, make namespaces, and trace its own processes, for scripts of recipes. */
    SANDBOX_PRIVILEGES_SCRIPT,
    /* Those of the caller, without a user namespace. Only for programs of the host that work on its devices.
     */
    SANDBOX_PRIVILEGES_HOST,
} SandboxPrivileges;

typedef enum {
    SANDBOX_READ_ONLY = 1 << 0,
    SANDBOX_OPTIONAL = 1 << 1, /* a missing source is no error */
} SandboxMountFlags;

/* A sandbox with an empty tmpfs as root and the base mounts /proc, /dev (null, zero, full, random, urandom,
 * tty, pts, shm, fd links), /tmp, /run, /var/tmp; no network, nothing of the host but what is added. */
Sandbox *sandbox_new(void);
void sandbox_free(Sandbox *sandbox);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sandbox, sandbox_free)

/* A sandbox that sees the host's programs: /usr, /bin, /lib*, /sbin, /opt,
 * /etc/{passwd,group,ssl,alternatives,...} read-only. TOOLS_TREE (or NULL) takes the place of the host as
 * the source of programs. */
Sandbox *sandbox_new_for_tools(const char *tools_tree);

/* A sandbox whose root directory is the tree ROOT (writable unless READ_ONLY), with the base mounts on top,
 * as for a chroot. */
Sandbox *sandbox_new_for_tree(const char *root, gboolean read_only);

/* No sandbox, so only for programs of the host itself, never for what a recipe or an image brings: the
 * program sees the host as the caller does (root directory, devices, network, processes, environment,
 * working directory). Only for programs whose work is on the host itself, such as systemd-nspawn. It gets
 * SIGTERM, not SIGKILL, when it shall end, so that it can clean up. */
Sandbox *sandbox_new_for_host(void);

/* The base mounts once more below DIRECTORY of the sandbox: for a package manager that changes its root to a
 * tree bound at DIRECTORY. */
void sandbox_api_mounts(Sandbox *sandbox, const char *directory);

/* Mounts are made in the order of these calls; missing targets are created (in a tree of
 * sandbox_new_for_tree() they stay behind). */
void sandbox_bind(Sandbox *sandbox, const char *source, const char *target, SandboxMountFlags flags);
void sandbox_tmpfs(Sandbox *sandbox, const char *target);
/* Hides what is at TARGET: an empty file or directory that nobody can write to covers it. Nothing happens
 * where nothing is, and to a link. The program cannot take it away. */
void sandbox_mask(Sandbox *sandbox, const char *target);
/* LOWERS from top to bottom, NULL-terminated; UPPER and WORK may be NULL (read-only overlay). */
void sandbox_overlay(
        Sandbox *sandbox, char *const *lowers, const char *upper, const char *work, const char *target);
void sandbox_symlink(Sandbox *sandbox, const char *link_text, const char *target);
/* A read-only regular file with CONTENT, mode 0644, or 0755 if EXECUTABLE. */
void sandbox_file(Sandbox *sandbox, const char *target, const char *content, gboolean executable);

/* Environment starts with PATH, HOME=/, LANG=C.UTF-8, TERM=dumb (the caller's when interactive). VALUE NULL
 * removes. */
void sandbox_setenv(Sandbox *sandbox, const char *name, const char *value);
void sandbox_chdir(Sandbox *sandbox, const char *directory);
void sandbox_network(Sandbox *sandbox, gboolean enabled);
/* fsync, fdatasync, sync_file_range, msync, sync and syncfs return success without doing anything (seccomp).
 */
void sandbox_suppress_sync(Sandbox *sandbox);
/* chown and friends return success without doing anything (seccomp); for tools that insist where the caller
 * has no mapping for other users. */
void sandbox_suppress_chown(Sandbox *sandbox);
void sandbox_privileges(Sandbox *sandbox, SandboxPrivileges privileges);
/* Hands on an open file descriptor under the same number; the caller keeps it open until sandbox_run()
 * returns. */
void sandbox_pass_fd(Sandbox *sandbox, int fd);
/* Hands on a listening socket by socket activation (sd_listen_fds(3)); the caller keeps it open as above. */
void sandbox_listen_fd(Sandbox *sandbox, int fd);
/* Program starts with these as standard input/output/error instead of /dev/null, our log, our log. */
void sandbox_stdin_fd(Sandbox *sandbox, int fd);
void sandbox_stdout_fd(Sandbox *sandbox, int fd);
/* Copies to FD what the program of sandbox_run() writes to standard output. The program has a pipe, because who has a
 * descriptor of a file can open the file again, for writing and from its start. */
void sandbox_copy_stdout(Sandbox *sandbox, int fd);
void sandbox_stderr_fd(Sandbox *sandbox, int fd);
/* A terminal of the program's own for all three that are a terminal of the caller (interactive shells, vm):
 * what it shows and what is typed is carried between the two. A sandbox_new_for_host() has the caller's
 * terminal itself. */
void sandbox_interactive(Sandbox *sandbox);
/* Standard streams of an interactive program of sandbox_run...() that are files of the caller reach it by pipes, for
 * the reason given at sandbox_copy_stdout(). */
void sandbox_relay_files(Sandbox *sandbox);

/* Called for each line of output (standard output and standard error, without newline) from the thread that
 * runs sandbox_run(); for progress. The last lines are kept for the error message in any case. */
typedef void (*SandboxLine)(const char *line, gpointer data);
void sandbox_on_line(Sandbox *sandbox, SandboxLine callback, gpointer data);

/* Besides 0, this exit status means success. */
void sandbox_accept_status(Sandbox *sandbox, int status);

/* What the program prints is shown, as it is but for known secrets: it is a script of the recipe, and what it
 * says is for its author. */
void sandbox_show_output(Sandbox *sandbox);

/* Runs ARGV to its end. On failure ERROR names the command, its exit status, and the last lines of its
 * output, and says what to do about a program that is missing, or too old for its arguments. May be called several times and, with different sandboxes, from several threads. */
gboolean sandbox_run(Sandbox *sandbox, const char *const *argv, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Same; returns standard output (NUL-terminated, owned by the caller). */
char *sandbox_run_output(Sandbox *sandbox, const char *const *argv, gsize *ret_length, GError **error);

/* Same; the exit status is a result (RET_STATUS, 128 + signal when killed), only a failure to start is an
 * error. */
gboolean sandbox_run_status(Sandbox *sandbox, const char *const *argv, int *ret_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What to do about PROGRAM, run in SANDBOX, which says WORDS and has failed; owned by the caller; NULL for
 * nothing. Errors of the functions above say it already. */
char *sandbox_advice(const Sandbox *sandbox, const char *program, const char *words);

/* Starts without waiting: for daemons such as swtpm, and for QEMU. The process dies when
 * sandbox_process_free() is called, or with us. A program that cannot be started (not found) is reported by
 * sandbox_process_wait(). */
typedef struct SandboxProcess SandboxProcess;
SandboxProcess *sandbox_spawn(Sandbox *sandbox, const char *const *argv, GError **error);
gboolean sandbox_process_wait(SandboxProcess *process, int *ret_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean sandbox_process_running(SandboxProcess *process);
/* The process outside of the sandbox that stands for it. */
pid_t sandbox_process_pid(const SandboxProcess *process);
/* What the process has written so far to descriptors that were not given to it; owned by the caller. */
char *sandbox_process_log(SandboxProcess *process);
/* As sandbox_advice(), for what the process has written. */
char *sandbox_process_advice(SandboxProcess *process);
void sandbox_process_free(SandboxProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SandboxProcess, sandbox_process_free)
