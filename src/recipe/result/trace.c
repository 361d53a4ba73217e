/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/result/recipe.h"

static void recipe_read_free(gpointer data) {
    RecipeRead *read = data;
    g_free(read->path);
    g_free(read->note);
    g_free(read);
}

GPtrArray *recipe_trace_new(void) {
    return g_ptr_array_new_with_free_func(recipe_read_free);
}

void recipe_trace_add(GPtrArray *trace, const char *image, RecipeReadKind kind, const char *path, const char *note) {
    RecipeRead *read = g_new0(RecipeRead, 1);
    read->image = g_intern_string(image);
    read->kind = kind;
    read->path = g_strdup(path);
    read->note = g_strdup(note);
    g_ptr_array_add(trace, read);
}
