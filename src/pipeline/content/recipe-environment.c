/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/content/recipe-environment.h"

#include "text/environment-file.h"

char *recipe_environment_value(const ImageConfig *config, const char *name) {
    g_auto(GStrv) inherited = g_get_environ();
    char *value = NULL;

    for (char **file = config->environment_files; *file; file++) {
        g_autofree char *text = NULL;
        if (!g_file_get_contents(*file, &text, NULL, NULL))
            continue;
        g_auto(GStrv) variables = environment_file_parse(text, inherited);
        const char *found = environment_lookup(variables, name);
        if (found)
            g_free(g_steal_pointer(&value)), value = g_strdup(found);
    }
    const char *found = environment_lookup(config->environment, name);
    if (found)
        g_free(g_steal_pointer(&value)), value = g_strdup(found);
    return value;
}
