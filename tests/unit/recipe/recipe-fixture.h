/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Recipes in a temporary directory. */

#include "recipe/reading/load.h"

/* Starts an empty recipe in a new temporary directory; the previous one is removed. */
void fixture_new(void);
void fixture_remove(void);
const char *fixture_directory(void);

/* Writes a file of the recipe, with its directories. */
void fixture_write(const char *name, const char *text);

/* Loads the recipe with ASSIGNMENTS ("NAME=VALUE" each, NULL-terminated; or NULL) and what earlier builds were told. */
Recipe *fixture_load(const char *const *assignments, GError **error);

/* The same without a directory. */
Recipe *fixture_load_nothing(const char *const *assignments, GError **error);
