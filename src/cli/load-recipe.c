/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/load-recipe.h"

#include "build/key-prompt.h"
#include "build/reading.h"
#include "sandbox/sandbox.h"

void set_sandbox_options(const RecipeArguments *arguments) {
    sandbox_set_debug((arguments->debug_shell ? SANDBOX_DEBUG_SHELL : 0) |
                      (arguments->debug_sandbox ? SANDBOX_DEBUG_TRACE : 0));
    sandbox_allow_weak(arguments->weak_sandbox);
    key_prompt_hide(arguments);
}

/* The command line is known, the verb has not begun. */
static char *run_program(const RecipeProgram *program, gpointer data, GError **error) {
    set_sandbox_options(program->arguments);
    return reading_run_program(program, data, error);
}

Recipe *load_recipe(int argc, char **argv, GError **error) {
    const RecipeRunner runner = {.run = run_program};
    return recipe_load(argc, argv, &runner, error);
}
