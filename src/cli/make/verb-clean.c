/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"
#include "pipeline/clean.h"
#include "recipe/reading/history.h"
#include "sandbox/sandbox.h"

gboolean verb_clean(const VerbCall *call, int *ret_exit_status, GError **error) {
    const Arguments *arguments = call->arguments;
    const Recipe *recipe = call->recipe;

    return sandbox_become_root(error) && build_clean(recipe, arguments->force, error) &&
           (!arguments->wipe_build_dir || build_wipe_build_directories(recipe, error)) &&
           recipe_remove_history(recipe, error);
}
