/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/sources/pkcs11-uri.h"

#include <openssl/crypto.h>
#include <string.h>

#define SCHEME "pkcs11:"

gboolean pkcs11_uri_check(const char *text) {
    return g_str_has_prefix(text, SCHEME);
}

static gboolean in_query(const char *name) {
    return g_str_has_prefix(name, "pin-");
}

/* There may be a PIN in it. */
static void wipe(gpointer text) {
    OPENSSL_cleanse(text, strlen(text));
    g_free(text);
}

/* The attributes of one half of URI, as they are written. */
static GPtrArray *split(const char *uri, gboolean query) {
    GPtrArray *attributes = g_ptr_array_new_with_free_func(wipe);
    const char *text = uri + strlen(SCHEME), *mark = strchr(text, '?');
    if (query && !mark)
        return attributes;
    g_autofree char *half = query ? g_strdup(mark + 1) : g_strndup(text, mark ? (gsize) (mark - text) : strlen(text));
    g_auto(GStrv) words = g_strsplit(half, query ? "&" : ";", -1);
    for (char **word = words; *word; word++)
        if (**word)
            g_ptr_array_add(attributes, g_strdup(*word));
    return attributes;
}

static const char *value_of(const char *attribute, const char *name) {
    gsize length = strlen(name);
    return strncmp(attribute, name, length) == 0 && attribute[length] == '=' ? attribute + length + 1 : NULL;
}

char *pkcs11_uri_get(const char *uri, const char *name) {
    g_autoptr(GPtrArray) attributes = split(uri, in_query(name));
    for (guint i = 0; i < attributes->len; i++) {
        const char *value = value_of(attributes->pdata[i], name);
        if (value)
            return g_uri_unescape_string(value, NULL);
    }
    return NULL;
}

static void append(GString *text, GPtrArray *attributes, const char *separator) {
    for (guint i = 0; i < attributes->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? separator : "", (const char *) attributes->pdata[i]);
}

char *pkcs11_uri_with(const char *uri, const char *name, const char *value) {
    g_autoptr(GPtrArray) path = split(uri, FALSE);
    g_autoptr(GPtrArray) query = split(uri, TRUE);
    GPtrArray *half = in_query(name) ? query : path;
    for (guint i = half->len; i > 0; i--)
        if (value_of(half->pdata[i - 1], name))
            g_ptr_array_remove_index(half, i - 1);
    if (value) {
        char *escaped = g_uri_escape_string(value, NULL, FALSE);
        g_ptr_array_add(half, g_strconcat(name, "=", escaped, NULL));
        wipe(escaped);
    }
    /* Never moved, so that nothing is left where it was. */
    GString *text = g_string_sized_new(strlen(uri) + strlen(name) + (value ? 3 * strlen(value) : 0) + 8);
    g_string_append(text, SCHEME);
    append(text, path, ";");
    if (query->len > 0)
        g_string_append_c(text, '?');
    append(text, query, "&");
    return g_string_free(text, FALSE);
}
