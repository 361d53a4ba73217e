/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "recipe/recipe.h"

/* As recipe_load(), with programs of the recipe in a sandbox, which is what the command line makes of it. */
Recipe *load_recipe(int argc, char **argv, GError **error);

/* Makes the sandboxes of this process what the command line asks for. */
void set_sandbox_options(const RecipeArguments *arguments);
