/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/values/value-text.h"

#include "recipe/values/paths.h"

/* One element as a person would write it in a recipe. */
static char *element_text(const Value *value) {
    if (!value)
        return g_strdup("");
    switch (value_kind(value)) {
    case VALUE_BOOL:
        return g_strdup(value_get_bool(value) ? "yes" : "no");
    case VALUE_INT:
        return g_strdup_printf("%" G_GINT64_FORMAT, value_get_int(value));
    case VALUE_STRING: {
        const char *text = value_get_string(value);
        return *text == '/' ? path_for_people(text) : g_strdup(text);
    }
    default:
        break;
    }
    if (value_has_key(value, "Source") && value_has_key(value, "Target")) {
        g_autofree char *source = element_text(value_lookup(value, "Source"));
        const char *target = value_get_string(value_lookup(value, "Target"));
        return target ? g_strconcat(source, ":", target, NULL) : g_steal_pointer(&source);
    }
    if (value_has_key(value, "Type")) {
        const char *source = value_get_string(value_lookup(value, "Source"));
        return g_strconcat(value_get_string(value_lookup(value, "Type")), *source ? ":" : "", source, NULL);
    }
    if (value_has_key(value, "Profile")) {
        Value *profile = value_lookup(value, "Profile");
        const char *name = value_get_string(value_lookup(profile, "ID"));
        return g_strdup(name ?: "(profile without ID)");
    }
    if (value_has_key(value, "Id")) {
        g_autofree char *size =
                g_format_size_full(value_get_int(value_lookup(value, "Size")), G_FORMAT_SIZE_IEC_UNITS);
        return g_strconcat(value_get_string(value_lookup(value, "Id")), ":", size, NULL);
    }
    if (value_has_key(value, "Name")) /* a credential: its value may be secret */
        return g_strdup(value_get_string(value_lookup(value, "Name")));
    GString *json = g_string_new(NULL);
    value_to_json(value, json, -1);
    return g_string_free(json, FALSE);
}

GPtrArray *setting_value_lines(const Setting *setting, const Value *value) {
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    if (!value)
        g_ptr_array_add(lines, g_strdup("(not set)"));
    else if (setting->type == TYPE_PASSWORD)
        g_ptr_array_add(lines, g_strdup("(set)"));
    else if (setting->type == TYPE_BYTES)
        g_ptr_array_add(lines, g_format_size_full(value_get_int(value), G_FORMAT_SIZE_IEC_UNITS));
    else if (setting->type == TYPE_OCTAL)
        g_ptr_array_add(lines, g_strdup_printf("%04o", (guint) value_get_int(value)));
    else if (setting->type == TYPE_VSOCK_CID && value_get_int(value) < 0)
        g_ptr_array_add(lines, g_strdup(value_get_int(value) == -1 ? "auto" : "hash"));
    else if (setting->shape == SHAPE_SCALAR)
        g_ptr_array_add(lines, element_text(value));
    else
        for (guint i = 0; i < value_length(value); i++) {
            g_autofree char *text = element_text(value_element(value, i));
            g_ptr_array_add(lines, setting->shape == SHAPE_MAP
                                           ? g_strconcat(value_key(value, i), "=", text, NULL)
                                           : g_steal_pointer(&text));
        }
    if (lines->len == 0)
        g_ptr_array_add(lines, g_strdup("(none)"));
    return lines;
}

char *setting_value_text(const Setting *setting, const Value *value) {
    g_autoptr(GPtrArray) lines = setting_value_lines(setting, value);
    g_ptr_array_add(lines, NULL);
    return g_strjoinv(" ", (char **) lines->pdata);
}
