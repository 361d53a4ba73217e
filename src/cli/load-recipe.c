/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/load-recipe.h"

#include "pipeline/keys/key-prompt.h"
#include "pipeline/reading/reading.h"
#include "cli/arguments/parse.h"
#include "events/task.h"
#include "recipe/reading/load.h"

gboolean begin_task(const Arguments *arguments, EventStreams *streams, GError **error) {
    task_add_flags(task_current(), (arguments->debug_shell ? TASK_DEBUG_SHELL : 0) |
                                           (arguments->debug_sandbox ? TASK_DEBUG_SANDBOX : 0) |
                                           (arguments->no_script_network ? TASK_NO_SCRIPT_NETWORK : 0) |
                                           (arguments->weak_sandbox ? TASK_WEAK_SANDBOX : 0));
    key_prompt_hide(arguments->key_pin_fd);
    return event_streams_begin(streams, arguments, error);
}

static char *run_program(const RecipeProgram *program, gpointer data, GError **error) {
    const Arguments *arguments = data;
    return (arguments->trust_recipe ? reading_run_trusted : reading_run_program)(program, error);
}

static Recipe *load(const Arguments *arguments, const char *directory, GError **error) {
    const RecipeRequest request = {
            .directory = directory,
            .assignments = arguments->assignments,
            .wants = arguments_get_wants(arguments),
            .run = run_program,
            .run_data = (gpointer) arguments,
    };
    return recipe_load(&request, error);
}

Recipe *load_recipe(const Arguments *arguments, GError **error) {
    return load(arguments, arguments->directory, error);
}

Recipe *load_recipe_of_nothing(const Arguments *arguments, GError **error) {
    return load(arguments, NULL, error);
}
