/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verb install: users, directories, units, configuration and the server in front, for a team. */

#include <glib.h>

typedef struct {
    const char *root;  /* NULL: this machine */
    const char *name;  /* the host name that people use; NULL: what the configuration says that is there */
    const char *token; /* "softhsm", or the path of a PKCS#11 module; NULL: keys in files */
    gboolean dry_run, replace;
} InstallWishes;

/* Does it, or with DRY_RUN says what it would do, on standard output. Nothing is started. */
gboolean install_kitchen(const InstallWishes *wishes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
