/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How pacman is run: with which arguments, in which sandbox, and what becomes of its complaints. */

#include "distro/driver/driver.h"
#include "distro/pacman/output.h"

/* Where the tree that pacman works on is in the sandbox. */
#define PACMAN_ROOT "/buildroot"

/* WORKSPACE/pacman/NAME of the session; owned by the caller. */
char *pacman_path(DistroSession *session, const char *name);

typedef enum {
    PACMAN_NETWORK = 1 << 0,  /* reaches the network */
    PACMAN_PACKAGES = 1 << 1, /* runs programs of packages, so it can only read what other builds will read, too */
    PACMAN_EMPTY = 1 << 2,    /* the tree gets its first directories, so nothing is mounted there */
    PACMAN_FETCH = 1 << 3,    /* works with databases that are just being fetched, which the local one is not */
} PacmanRunFlags;

/* A sandbox with pacman's programs, its configuration and caches, and the tree ROOT (NULL: an empty one) at
 * PACMAN_ROOT, which gets a database of installed packages unless it has one. */
Sandbox *pacman_sandbox(DistroSession *session, const char *root, PacmanRunFlags flags, GError **error);

/* The mounts of that sandbox but the caches and the tree itself, for scripts, too. */
void pacman_mount_configuration(DistroSession *session, Sandbox *sandbox, PacmanRunFlags flags);

/* pacman with all options that are the same for whatever it does: an array of strings that owns them, not terminated
 * yet. */
GPtrArray *pacman_command(DistroSession *session);

/* The same for an OPERATION, --sync or --remove, that changes something. */
GPtrArray *pacman_transaction(DistroSession *session, const char *operation);

/* Appends words up to NULL. */
void pacman_add_words(GPtrArray *argv, const char *first, ...) G_GNUC_NULL_TERMINATED;

/* Runs ARGV (terminated here). An error says what pacman or the program of a package complained about and what to do,
 * which is ADVICE where the complaint does not tell. OUTPUT may be NULL; RET_STDOUT, too: then that is taken for
 * messages. */
gboolean pacman_run(DistroSession *session, Sandbox *sandbox, GPtrArray *argv, PacmanOutput *output, DistroError code,
        const char *advice, char **ret_stdout, GError **error) G_GNUC_WARN_UNUSED_RESULT;
