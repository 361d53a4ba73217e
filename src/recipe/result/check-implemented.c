/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/result/recipe.h"

#include "recipe/result/image-values.h"

static gboolean check_image(const ImageConfig *image, GError **error) {
    for (int id = 0; id < _SETTING_MAX; id++) {
        const Setting *setting = &settings[id];
        const char *origin = image->values->origins[id];
        if (!(setting->flags & SETTING_NOT_IMPLEMENTED) || !origin ||
                image_values_is_default(image->values, id))
            continue;
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "%s: %s=: The setting is part of the recipe language, but this version of particleos cannot do what it "
                "says yet; remove it to build the image %s",
                origin, setting->name, image->image);
        return FALSE;
    }
    return TRUE;
}

gboolean recipe_check_implemented(const Recipe *recipe, GError **error) {
    for (ImageConfig **image = recipe->images; *image; image++)
        if (!check_image(*image, error))
            return FALSE;
    return !recipe->tools || check_image(recipe->tools, error);
}
