/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images as configure scripts hand them back. Nothing in the text is believed before it has the shape that
 * its setting asks for. */
#include "recipe/result/recipe.h"

#include <string.h>

#include "recipe/result/image-order.h"
#include "recipe/result/image-secrets.h"
#include "recipe/values/checked-json.h"

static gboolean is_printed(SettingId id) {
    return !settings[id].stored_in && !(settings[id].flags & SETTING_NOT_IN_JSON);
}

/* Keys that say where the image comes from; they are made from other things. */
static gboolean is_derived(const char *key) {
    return strcmp(key, "Files") == 0 || strcmp(key, "BuildSubdirectory") == 0;
}

static gboolean check_keys(const Value *json, const ImageValues *old, GError **error) {
    for (guint i = 0; i < value_length(json); i++) {
        const char *key = value_key(json, i);
        const Setting *setting = setting_by_name(key);
        if (is_derived(key) || (setting && is_printed(setting_id(setting))))
            continue;
        if (strcmp(key, "Image") == 0) {
            if (value_element(json, i) && value_kind(value_element(json, i)) == VALUE_STRING &&
                    value_is_string(value_element(json, i), old->image))
                continue;
            g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "\"Image\": The name of an image cannot be changed");
            return FALSE;
        }
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "\"%s\" is not a setting", key);
        return FALSE;
    }
    return TRUE;
}

/* Takes one value over from JSON. SCRIPT becomes the origin of what has changed. */
static gboolean read_value(ImageValues *values, SettingId id, const Value *json, const char *script, GError **error) {
    const Setting *setting = &settings[id];
    if (!value_has_key(json, setting->name)) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "\"%s\" is missing; the script must print all settings that it reads", setting->name);
        return FALSE;
    }
    Value *given = value_lookup(json, setting->name), *value = NULL;
    if (value_equal(values->values[id], given))
        return TRUE;
    if (!given && setting->shape == SHAPE_SCALAR && !(setting->flags & SETTING_OPTIONAL)) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "%s: The value cannot be null", setting->name);
        return FALSE;
    }
    if (!given && setting->shape != SHAPE_SCALAR)
        value = setting->shape == SHAPE_LIST ? value_new_list() : value_new_map();
    else if (!value_checked_from_json(setting, given, &value, error))
        return FALSE;
    image_values_set(values, id, value);
    values->origins[id] = script;
    return TRUE;
}

static ImageValues *read_values(const ImageValues *old, const Value *json, const char *script, GError **error) {
    g_autoptr(ImageValues) values = image_values_copy(old);
    const char *origin = g_intern_string(script);
    if (!check_keys(json, old, error))
        return NULL;
    for (int id = 0; id < _SETTING_MAX; id++)
        if (is_printed(id) && !read_value(values, id, json, origin, error))
            return NULL;
    return g_steal_pointer(&values);
}

ImageConfig *image_config_from_json(
        const ImageConfig *config, const char *text, gssize length, const char *script, GError **error) {
    g_autoptr(GError) problem = NULL;
    g_autoptr(Value) json = value_from_json(text, length, &problem);
    ImageValues *values = NULL;
    if (!problem && (!json || value_kind(json) != VALUE_MAP))
        g_set_error(&problem, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "it is not an object");
    if (!problem)
        values = read_values(config->values, json, script, &problem);
    if (values) {
        ImageConfig *changed = image_config_new(values);
        secrets_note_image(changed);
        return changed;
    }
    g_propagate_prefixed_error(error, g_steal_pointer(&problem),
            "The configure script %s printed a configuration that cannot be used: ", script);
    return NULL;
}

static ImageConfig *find_config(const Recipe *recipe, const ImageValues *values) {
    for (ImageConfig **config = recipe->images; *config; config++)
        if ((*config)->values == values)
            return *config;
    return NULL;
}

/* Frees the images of a recipe that are not in KEPT. */
static void drop_images(Recipe *recipe, ImageConfig **kept) {
    for (ImageConfig **config = recipe->images; *config; config++) {
        gboolean keep = FALSE;
        for (ImageConfig **other = kept; *other; other++)
            keep |= *other == *config;
        if (!keep)
            image_config_free(*config);
    }
    g_free(recipe->images);
    recipe->images = kept;
}

gboolean recipe_sort_images(Recipe *recipe, GError **error) {
    g_autoptr(GPtrArray) images = g_ptr_array_new();
    for (ImageConfig **config = recipe->images; *config != recipe->main; config++)
        g_ptr_array_add(images, (*config)->values);
    g_autoptr(GPtrArray) ordered = images_order(images, recipe->main->values, error);
    if (!ordered)
        return FALSE;
    g_ptr_array_set_free_func(ordered, NULL); /* they belong to their configs */
    ImageConfig **sorted = g_new0(ImageConfig *, ordered->len + 2);
    for (guint i = 0; i < ordered->len; i++)
        sorted[i] = find_config(recipe, ordered->pdata[i]);
    sorted[ordered->len] = recipe->main;
    drop_images(recipe, sorted);
    return TRUE;
}
