/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Recipes in a temporary directory. */

#include "recipe/result/recipe.h"

/* Starts an empty recipe in a new temporary directory; the previous one is removed. */
void fixture_new(void);
void fixture_remove(void);
const char *fixture_directory(void);

/* Writes a file of the recipe, with its directories. */
void fixture_write(const char *name, const char *text);

/* Loads the recipe with the options (NULL-terminated) and the verb summary. */
Recipe *fixture_load(const char *const *options, GError **error);
