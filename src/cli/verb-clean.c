/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include "pipeline/build.h"
#include "sandbox/sandbox.h"

gboolean verb_clean(Recipe *recipe, int *ret_exit_status, GError **error) {
    const RecipeArguments *arguments = recipe->arguments;

    return sandbox_become_root(error) && build_clean(recipe, arguments->force, error) &&
           (!arguments->wipe_build_dir || build_wipe_build_directories(recipe, error)) &&
           recipe_remove_history(recipe, error);
}
