/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line: every setting is an option, derived from the table (reference, chapter 1). */

#include "recipe/reading/image-parser.h"

/* Fills ARGUMENTS and PARSER's CLI namespace from ARGV (without the program's name). Paths given to
 * --include are appended to INCLUDES, resolved. DIRECTORY is where the program was started. */
gboolean cli_parse(
        char **argv, const char *directory, RecipeArguments *arguments, ImageParser *parser, GError **error);

/* Options that are not settings, for the help; ends with an entry without name. */
typedef struct {
    const char *name;
    char letter;
    const char *value; /* what stands for its value in the help, or NULL for a flag */
    gsize offset;      /* of a gboolean, int (counter) or string in RecipeArguments */
    gboolean counter;
    const char *help;
} CliOption;

extern const CliOption cli_options[];
