/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A package as pacman's databases describe it: the file "desc", lines "%KEY%" with values below them up to an empty
 * line. Those of repositories and that of a tree differ in a few keys only. */

#include <glib.h>

typedef struct {
    char *name, *version, *architecture;
    char *base;             /* what it was made from */
    char *file;             /* name of the package file; NULL in the database of a tree */
    char *sha256;           /* of that file, in hex; NULL when the database does not say it */
    guint64 size;           /* bytes of that file */
    guint64 installed_size; /* bytes */
    gint64 built;           /* seconds since 1970; -1: not said */
} PacmanDesc;

void pacman_desc_free(PacmanDesc *desc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PacmanDesc, pacman_desc_free)

/* Reads TEXT. NULL with ERROR set when it names no package, or has a name, version, file name or digest that cannot be
 * one: they become arguments and file names. */
PacmanDesc *pacman_desc_parse(const char *text, GError **error);

/* TEXT with the value of "%INSTALLDATE%" replaced by SECONDS; owned by the caller. */
char *pacman_desc_set_install_date(const char *text, gint64 seconds);
