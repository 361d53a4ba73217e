/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/result/image-values.h"

#include <string.h>

#include "events/events.h"
#include "recipe/values/value-parse.h"

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
        g_autoptr(Value) fixed = setting_fixed_default(setting);
        return value_equal(value, fixed);
    }
    return !value || (value_is_collection(value) && value_length(value) == 0);
}

/* What the delayed specifier LETTER stands for; NULL for nothing. */
static const char *specifier_value(const ImageValues *values, char letter) {
    if (letter == 'I')
        return values->image;
    return value_get_string(values->values[setting_id(setting_by_specifier(letter))]);
}

char *image_values_expand_key(const ImageValues *values, const char *text) {
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p; p++) {
        if (*p != '&' || !p[1]) {
            g_string_append_c(out, *p);
            continue;
        }
        if (*++p == '&')
            g_string_append_c(out, '&');
        else if (strchr("draivI", *p))
            g_string_append(out, specifier_value(values, *p) ?: "");
        else
            events_warning("Unknown specifier &%c in \"%s\"; leaving it out", *p, text);
    }
    return g_string_free(out, FALSE);
}

char *image_values_build_subdirectory(const ImageValues *values) {
    const char *directory = value_get_string(values->values[SETTING_BUILD_DIRECTORY]);
    if (!directory)
        return NULL;
    g_autofree char *key = image_values_expand_key(values, value_get_string(values->values[SETTING_BUILD_KEY]) ?: "-");
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
