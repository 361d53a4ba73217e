/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What can be wrong with a recipe, and with what is said about it on a command line. */

#include <glib.h>

typedef enum {
    RECIPE_ERROR_SYNTAX,  /* a file or an option says something that the language does not know */
    RECIPE_ERROR_MISSING, /* something that the recipe names does not exist */
    RECIPE_ERROR_USAGE,   /* the command line has no such option, verb, argument or word */
} RecipeError;

#define RECIPE_ERROR recipe_error_quark()
GQuark recipe_error_quark(void);
