/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Puts files where an installation has them, below any root directory, and says what it does. What is there already is never
 * changed unseen: a file that differs is kept, or, where that was asked for, kept under another name. Doing it all again is
 * harmless. Paths are absolute; no part of them may be a symbolic link, which below somebody else's root could lead anywhere. */

#include <glib.h>

#define INSTALL_ERROR install_error_quark()
GQuark install_error_quark(void);

/* Hears of each thing that is done or left: a line without newline. */
typedef void (*InstallSay)(gpointer user, const char *line);

typedef struct {
    const char *root; /* NULL: "/" */
    gboolean dry_run; /* only says what it would do */
    gboolean replace; /* files that differ are taken aside, as PATH.old or PATH.old-N */
    InstallSay say;
    gpointer user;
} InstallOptions;

typedef struct Install Install;

/* OPTIONS and what they name have to last as long. Fails when there is no such root. */
Install *install_new(const InstallOptions *options, GError **error);
void install_free(Install *install);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Install, install_free)

/* The file PATH with TEXT and MODE; directories are made on the way. */
gboolean install_file(
        Install *install, const char *path, guint mode, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What the file PATH holds, owned by the caller; NULL without ERROR set: it is not there. */
char *install_read(Install *install, const char *path, GError **error);

/* A range of 65536 IDs for USER in PATH (/etc/subuid, /etc/subgid), behind all that are there. Nothing where USER has one. */
gboolean install_range(Install *install, const char *path, const char *user, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs ARGV (NULL-terminated), and says so. A program that is not there is left out with a word; one that fails is an error.
 * INPUT (may be NULL) is its standard input, and is not said. */
gboolean install_run(
        Install *install, const char *const *argv, const char *input, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Says the formatted line. */
void install_say(Install *install, const char *format, ...) G_GNUC_PRINTF(2, 3);
