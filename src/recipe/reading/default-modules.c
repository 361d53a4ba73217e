/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/reading/builtin.h"
#include "recipe/reading/image-parser.h"
#include "recipe/reading/load.h"

char **recipe_default_kernel_modules(GError **error) {
    const RecipeRequest request = {0};
    ParserRun run = {.request = &request};
    g_autoptr(ImageParser) parser = image_parser_new(&run, "default-initrd");
    g_autofree char *path = builtin_configuration_path("mkosi-initrd");
    if (!image_parser_read(parser, path, READ_PROFILES, NULL, error))
        return NULL;
    g_autoptr(Value) modules = image_parser_value(parser, SETTING_KERNEL_MODULES);
    GPtrArray *list = g_ptr_array_new();
    for (guint i = 0; i < value_length(modules); i++)
        g_ptr_array_add(list, g_strdup(value_get_string(value_element(modules, i))));
    g_ptr_array_add(list, NULL);
    return (char **) g_ptr_array_free(list, FALSE);
}
