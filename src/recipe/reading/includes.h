/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What Include= and --include name, and when it is read. Internal to reading recipes.
 *
 * mkosi's order: after every setting, everything that was named and has not been read is read, options first.
 * So of "Include=a b" b is read within a, after the first setting of a, and before what a itself includes. An
 * empty Include= names nothing, and forgets nothing. */

#include "recipe/reading/image-parser.h"

Includes *includes_new(void);
void includes_free(Includes *includes);

/* Notes the list of paths and builtin names TEXT, of an option or a file by CONTEXT. ORIGIN (option, or file, line and setting) begins errors. */
gboolean includes_add(
        Includes *includes, const char *text, const char *origin, const ParseContext *context, GError **error);

/* Reads what was noted and has not been read, each file once. */
gboolean image_parser_include_pending(ImageParser *parser, GError **error);
