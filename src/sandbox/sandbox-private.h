/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "events/task.h"
#include "sandbox/sandbox.h"

struct Sandbox {
    Task *task; /* owned; NULL: none */
    char *root; /* NULL: an empty tmpfs */
    gboolean root_read_only;
    GPtrArray *operations; /* options of particleos-sandbox, in order */
    char **environment;
    char *directory;
    gboolean network;
    gboolean host; /* no sandbox at all */
    gboolean tools; /* programs come from the host, or from: */
    char *tools_tree;
    SandboxPrivileges privileges;
    gboolean suppress_sync;
    gboolean suppress_chown;
    gboolean interactive;
    gboolean relays_files;
    GArray *accepted; /* of int: exit statuses */
    GArray *pass_fds;
    int listen_fd;                      /* -1: none */
    int stdin_fd, stdout_fd, stderr_fd; /* -1: the default */
    int copy_fd; /* gets what is written to standard output; -1: none */
    SandboxLine on_line;
    gpointer on_line_data;
    gboolean shows_output;
};

/* The options and the command for particleos-sandbox, without its own name; NULL-terminated. */
GPtrArray *sandbox_arguments(const Sandbox *sandbox, const char *const *argv);

/* A line that a shell reads as COMMAND and ARGUMENTS, for people: secrets in it are left out (events/redact.h).
 * Owned by the caller. */
char *sandbox_shell_line(const char *command, const char *const *arguments);

/* The command as people would type it, shortened. Owned by the caller. */
char *sandbox_describe(const char *const *argv);

/* A started particleos-sandbox. */
typedef struct {
    pid_t pid;
    int status_fd; /* reaches its end when everything in the sandbox has ended */
    Task *task; /* that it counts for, until sandbox_child_finish(); owned; or NULL */
    guint place; /* there */
    char *command; /* for people; owned until sandbox_child_finish() */
    gint64 start;
} SandboxChild;

/* Standard descriptors of the child. */
typedef struct {
    int in, out, err;
} SandboxStdio;

/* Starts ARGV. */
gboolean sandbox_child_start(const Sandbox *sandbox, const char *const *argv, const SandboxStdio *stdio,
        SandboxChild *ret_child, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes everything in the sandbox end. */
void sandbox_child_kill(const SandboxChild *child);

/* Waits for the end. RET_STATUS is a wait status, or ERROR says why the program did not start. */
gboolean sandbox_child_finish(SandboxChild *child, int *ret_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* debug.c */
/* Where and how to start particleos-sandbox with the NULL-terminated ARGV: that itself, or a program that
 * watches it. NULL-terminated; the strings are borrowed. NULL with ERROR set when there is no such program.
 */
GPtrArray *sandbox_traced_command(const Sandbox *sandbox, char **argv, GError **error);

/* advice.c: replaces the error that PROGRAM is not found by one that says who brings it. */
void sandbox_explain_missing(const Sandbox *sandbox, const char *program, GError **error);
