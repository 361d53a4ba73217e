/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include <stdio.h>

gboolean verb_summary(Recipe *recipe, int *ret_exit_status, GError **error) {
    if (!recipe->arguments->json) {
        recipe_print_summary(recipe, recipe->arguments->all);
        return TRUE;
    }
    g_autofree char *json = recipe_to_json(recipe);
    fputs(json, stdout);
    return TRUE;
}
