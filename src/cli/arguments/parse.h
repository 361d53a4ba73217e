/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From the words of a command line to what they mean. */

#include "cli/arguments/arguments.h"
#include "recipe/reading/request.h"

/* Reads ARGV (without the program's name; NULL-terminated). DIRECTORY is where the program was started. The names of
 * settings are checked, their values are not: that is done by recipe_load(). NULL with ERROR (RECIPE_ERROR_USAGE) set when
 * there is no such option or verb, or when they do not fit together; the error names what was written. */
Arguments *arguments_parse(char *const *argv, const char *directory, GError **error);
void arguments_free(Arguments *arguments);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Arguments, arguments_free)

/* What has to be read of the recipe for them. */
RecipeWants arguments_get_wants(const Arguments *arguments);
