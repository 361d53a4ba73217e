/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "form.h"

#include <string.h>

static gboolean wrong(GError **error, const char *what) {
    g_set_error(error, G_CONVERT_ERROR, G_CONVERT_ERROR_ILLEGAL_SEQUENCE, "The form is damaged: %s", what);
    return FALSE;
}

/* "a+b%20c" to "a b c"; NULL when it is no text. */
static char *decode(const char *from, gsize size) {
    GString *text = g_string_sized_new(size);

    for (gsize i = 0; i < size; i++) {
        guint8 byte = (guint8) from[i];

        if (byte == '+')
            byte = ' ';
        else if (byte == '%') {
            int high = size - i > 2 ? g_ascii_xdigit_value(from[i + 1]) : -1;
            int low = size - i > 2 ? g_ascii_xdigit_value(from[i + 2]) : -1;

            if (high < 0 || low < 0) {
                g_string_free(text, TRUE);
                return NULL;
            }
            byte = (guint8) (high << 4 | low);
            i += 2;
        }
        g_string_append_c(text, (char) byte);
    }
    if (memchr(text->str, 0, text->len) || !g_utf8_validate(text->str, (gssize) text->len, NULL)) {
        g_string_free(text, TRUE);
        return NULL;
    }
    return g_string_free(text, FALSE);
}

static gboolean take_field(GHashTable *fields, const char *text, gsize size, GError **error) {
    const char *sign = memchr(text, '=', size);
    gsize name_size = sign ? (gsize) (sign - text) : size;
    g_autofree char *name = NULL;
    g_autofree char *value = NULL;

    if (name_size > FORM_NAME_MAX || g_hash_table_size(fields) >= FORM_FIELDS_MAX)
        return wrong(error, "it has too many fields, or one with a long name");
    name = decode(text, name_size);
    value = sign ? decode(sign + 1, size - name_size - 1) : g_strdup("");
    if (!name || !value)
        return wrong(error, "a field is no text in UTF-8");
    if (g_hash_table_contains(fields, name))
        return wrong(error, "a field comes twice");
    g_hash_table_insert(fields, g_steal_pointer(&name), g_steal_pointer(&value));
    return TRUE;
}

GHashTable *form_parse(const char *text, gsize size, GError **error) {
    g_autoptr(GHashTable) fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    while (text && size > 0) {
        const char *end = memchr(text, '&', size);
        gsize length = end ? (gsize) (end - text) : size;

        if (length > 0 && !take_field(fields, text, length, error))
            return NULL;
        text += MIN(length + 1, size);
        size -= MIN(length + 1, size);
    }
    return g_steal_pointer(&fields);
}

char *cookie_find(const char *header, const char *name) {
    g_auto(GStrv) pairs = g_strsplit(header ?: "", ";", -1);
    g_autofree char *found = NULL;

    for (guint i = 0; pairs[i]; i++) {
        char *pair = g_strstrip(pairs[i]);
        gsize length = strlen(name);

        if (strncmp(pair, name, length) != 0 || pair[length] != '=')
            continue;
        if (found)
            return NULL;
        found = g_strdup(pair + length + 1);
    }
    return g_steal_pointer(&found);
}
