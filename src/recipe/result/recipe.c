/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/result/recipe.h"

void recipe_free(Recipe *recipe) {
    if (!recipe)
        return;
    for (ImageConfig **image = recipe->images; image && *image; image++)
        image_config_free(*image);
    g_free(recipe->images);
    image_config_free(recipe->tools);
    g_clear_pointer(&recipe->trace, g_ptr_array_unref);
    g_free(recipe->directory);
    g_free(recipe->config_directory);
    g_free(recipe);
}
