/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/reading/request.h"

RecipeAssignment *recipe_assignment_new(
        const char *setting, const char *text, const char *option, const char *directory) {
    RecipeAssignment *assignment = g_new0(RecipeAssignment, 1);
    assignment->setting = g_intern_string(setting);
    assignment->text = g_strdup(text);
    assignment->option = g_strdup(option);
    assignment->directory = g_strdup(directory);
    return assignment;
}

void recipe_assignment_free(RecipeAssignment *assignment) {
    if (!assignment)
        return;
    g_free(assignment->text);
    g_free(assignment->option);
    g_free(assignment->directory);
    g_free(assignment);
}
