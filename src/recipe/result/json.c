/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/result/recipe.h"

#include "recipe/result/image-values.h"

static char *to_text(Value *value, int indent) {
    GString *out = g_string_new(NULL);
    value_to_json(value, out, indent);
    if (indent >= 0)
        g_string_append_c(out, '\n');
    value_unref(value);
    return g_string_free(out, FALSE);
}

char *recipe_to_json(const Recipe *recipe) {
    Value *images = value_new_list();
    for (ImageConfig **image = recipe->images; *image; image++)
        value_append(images, image_values_to_map((*image)->values));
    Value *object = value_new_map();
    value_set(object, "Images", images);
    value_set(object, "Tools", recipe->tools ? image_values_to_map(recipe->tools->values) : NULL);
    return to_text(object, 0);
}

char *image_config_to_json(const ImageConfig *config) {
    g_return_val_if_fail(config->values, NULL);
    return to_text(image_values_to_map(config->values), 0);
}

char *image_config_setting_to_json(const ImageConfig *config, const char *name) {
    const Setting *setting = setting_by_name(name);
    g_return_val_if_fail(config->values && setting, NULL);
    return to_text(value_ref(config->values->values[setting_slot(setting)]), -1);
}

void recipe_each_setting(RecipeVisit visit, gpointer data) {
    for (const Setting *setting = settings; setting < settings + _SETTING_MAX; setting++)
        visit(setting->section, setting->name, data);
}

char *image_config_expand_key(const ImageConfig *config, const char *value) {
    g_return_val_if_fail(config->values, NULL);
    return image_values_expand_key(config->values, value);
}

const char *recipe_setting_origin(const ImageConfig *config, const char *name) {
    const Setting *setting = setting_by_name(name);
    return config->values && setting ? config->values->origins[setting_slot(setting)] : NULL;
}
