/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/result/image-values.h"

#include <string.h>

static const char *origin_in(ImageParser *parser, SettingId id) {
    const Slot *slots[] = {&parser->cli.slots[id], &parser->files.slots[id], &parser->inherited.slots[id]};
    for (gsize i = 0; i < G_N_ELEMENTS(slots); i++)
        if (slots[i]->given && slots[i]->origin)
            return slots[i]->origin;
    return NULL;
}

ImageValues *image_values_new(ImageParser *parser) {
    ImageValues *values = g_new0(ImageValues, 1);
    values->image = g_strdup(parser->image);
    values->directory =
            g_strdup(parser->run->config_directory ? parser->run->config_directory : parser->directory);
    for (int id = 0; id < _SETTING_MAX; id++) {
        if (settings[id].stored_in)
            continue;
        values->values[id] = image_parser_value(parser, id);
        values->origins[id] = origin_in(parser, id);
    }
    g_ptr_array_add(parser->files_read, NULL);
    values->files = g_strdupv((char **) parser->files_read->pdata);
    g_ptr_array_remove_index(parser->files_read, parser->files_read->len - 1);
    return values;
}

ImageValues *image_values_copy(const ImageValues *values) {
    ImageValues *copy = g_new0(ImageValues, 1);
    copy->image = g_strdup(values->image);
    copy->directory = g_strdup(values->directory);
    copy->files = g_strdupv(values->files);
    for (int id = 0; id < _SETTING_MAX; id++) {
        copy->values[id] = value_ref(values->values[id]);
        copy->origins[id] = values->origins[id];
    }
    return copy;
}

void image_values_free(ImageValues *values) {
    if (!values)
        return;
    for (int id = 0; id < _SETTING_MAX; id++)
        value_unref(values->values[id]);
    g_strfreev(values->files);
    g_free(values->image);
    g_free(values->directory);
    g_free(values);
}

void image_values_set(ImageValues *values, SettingId id, Value *value) {
    value_unref(values->values[id]);
    values->values[id] = value;
}

gboolean image_values_is_default(const ImageValues *values, SettingId id) {
    const Setting *setting = &settings[id];
    const Value *value = values->values[id];
    if (!values->origins[id])
        return TRUE;
    if (setting->flags & SETTING_COMPUTED)
        return FALSE;
    if (setting->default_text) {
        g_autoptr(Value) fixed = setting_default(NULL, id);
        return value_equal(value, fixed);
    }
    return !value || (value_is_collection(value) && value_length(value) == 0);
}

static const char *lookup_specifier(gpointer data, char letter) {
    const ImageValues *values = data;
    if (letter == 'I')
        return values->image;
    return value_get_string(values->values[setting_id(setting_by_specifier(letter))]);
}

char *image_values_expand_key(const ImageValues *values, const char *text) {
    return expand_key(text, lookup_specifier, (gpointer) values);
}

char *image_values_build_subdirectory(const ImageValues *values) {
    const char *directory = value_get_string(values->values[SETTING_BUILD_DIRECTORY]);
    if (!directory)
        return NULL;
    g_autofree char *key =
            image_values_expand_key(values, value_get_string(values->values[SETTING_BUILD_KEY]) ?: "-");
    return strcmp(key, "-") == 0 ? g_strdup(directory) : g_build_filename(directory, key, NULL);
}

Value *image_values_to_map(const ImageValues *values) {
    Value *map = value_new_map();
    for (int id = 0; id < _SETTING_MAX; id++)
        if (!settings[id].stored_in && !(settings[id].flags & SETTING_NOT_IN_JSON))
            value_set(map, settings[id].name, value_ref(values->values[id]));
    value_set(map, "Image", value_new_string(values->image));
    Value *files = value_new_list();
    for (char **file = values->files; *file; file++)
        value_append(files, value_new_string(*file));
    value_set(map, "Files", files);
    g_autofree char *build = image_values_build_subdirectory(values);
    if (build)
        value_set(map, "BuildSubdirectory", value_new_string(build));
    return map;
}
