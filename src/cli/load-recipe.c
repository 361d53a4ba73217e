/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/load-recipe.h"

#include "events/task.h"
#include "pipeline/keys/key-prompt.h"
#include "pipeline/reading/reading.h"

static gboolean begin(const RecipeArguments *arguments, gpointer data, GError **error) {
    EventStreams *streams = data;

    task_add_flags(task_current(), (arguments->debug_shell ? TASK_DEBUG_SHELL : 0) |
                                           (arguments->debug_sandbox ? TASK_DEBUG_SANDBOX : 0) |
                                           (arguments->weak_sandbox ? TASK_WEAK_SANDBOX : 0));
    key_prompt_hide(arguments);
    return !streams || event_streams_begin(streams, arguments, error);
}

static char *run_program(const RecipeProgram *program, gpointer data, GError **error) {
    return reading_run_program(program, NULL, error);
}

Recipe *load_recipe(int argc, char **argv, EventStreams *streams, GError **error) {
    const RecipeRunner runner = {.begin = begin, .run = run_program, .data = streams};
    return recipe_load(argc, argv, &runner, error);
}
