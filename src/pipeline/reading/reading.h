/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Programs that a recipe brings for its own reading: a stranger's, run by somebody who may only have wanted
 * to look. They get the host's programs and, to read, the recipe with the repository that holds it, without
 * what is known by its name to be secret or made by builds; no network, nothing of the caller's environment
 * but short words that they name, no terminal. With --trust-recipe they run as the caller. */

#include "recipe/result/recipe.h"

/* For a RecipeRunner: what PROGRAM prints, owned by the caller. DATA is not used. */
char *reading_run_program(const RecipeProgram *program, gpointer data, GError **error);
