/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What Include= and --include name, and when it is read. Internal to reading recipes.
 *
 * mkosi's order: after every setting, everything that was named and has not been read is read, options first.
 * So of "Include=a b" b is read within a, after the first setting of a, and before what a itself includes. An
 * empty Include= names nothing, and forgets nothing. */

#include <glib.h>
#include <sys/stat.h>

#include "recipe/values/parse-context.h"

typedef struct {
    char *path;   /* absolute, or the name of a builtin configuration */
    char *origin; /* begins errors */
} Include;

typedef struct Includes Includes;

Includes *includes_new(void);
void includes_free(Includes *includes);

/* Notes the list of paths and builtin names TEXT, of an option or a file by CONTEXT. ORIGIN (option, or file, line and
 * setting) begins errors. */
gboolean includes_add(
        Includes *includes, const char *text, const char *origin, const ParseContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The next one that was not returned yet (borrowed), or NULL. */
const Include *includes_next(Includes *includes);

/* Notes that the file INFO is read; FALSE when it was noted before. */
gboolean includes_note_file(Includes *includes, const struct stat *info);
