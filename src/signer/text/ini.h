/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files of sections and assignments, read line by line. Comments are lines that begin with # or ;. */

#include <glib.h>

/* One assignment: KEY=VALUE in [SECTION NAME]; NAME is NULL in [SECTION]. Spaces around VALUE are gone. */
typedef struct {
    const char *section, *name, *key, *value;
    guint line;
} IniEntry;

/* Hears of each assignment and, with KEY NULL, of each section. Errors get the place in front. */
typedef gboolean (*IniVisit)(gpointer user, const IniEntry *entry, GError **error);

/* Reads SIZE bytes at TEXT, which is what ORIGIN names. Errors are SIGNER_ERROR_POLICY and begin with
 * "ORIGIN:LINE: ". */
gboolean ini_read(const char *origin, const char *text, gsize size, IniVisit visit, gpointer user,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
