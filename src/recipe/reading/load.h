/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a request and the files of a recipe to the images that they describe. */

#include "recipe/reading/request.h"
#include "recipe/result/recipe.h"

/* Reads what REQUEST asks for. Nothing of REQUEST is used afterwards. Warnings are events. Errors name file and line or the
 * option, the setting, and what is accepted. NULL with ERROR set on failure. */
Recipe *recipe_load(const RecipeRequest *request, GError **error);

/* What the word "default" stands for in KernelModules= and KernelInitrdModules=: the module filter of the
 * builtin initrd configuration. NULL-terminated, owned by the caller; NULL with ERROR set on failure. */
char **recipe_default_kernel_modules(GError **error);
