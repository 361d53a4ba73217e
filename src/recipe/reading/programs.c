/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs of the recipe whose output is wanted while it is read. */
#include "recipe/reading/image-parser.h"

char *run_program(const ParserRun *run, const char *directory, const char *path, GError **error) {
    const RecipeProgram program = {
            .path = path,
            .directory = directory,
            .config_directory = run->config_directory,
    };

    if (!run->request->run) {
        g_set_error_literal(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "The file is a program, and programs of recipes are not run here");
        return NULL;
    }
    char *output = run->request->run(&program, run->request->run_data, error);
    if (!output)
        g_prefix_error(error, "Running it for its output failed: ");
    return output;
}
