/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text/os-release.h"

#include <string.h>

GHashTable *os_release_parse(const char *text) {
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        char *name = g_strstrip(*line), *equals = strchr(name, '=');
        if (!equals || *name == '#')
            continue;
        *equals = '\0';
        char *value = g_strstrip(equals + 1), *unquoted = g_shell_unquote(value, NULL);
        g_hash_table_replace(table, g_strdup(g_strchomp(name)), unquoted ? unquoted : g_strdup(value));
    }
    return table;
}

char *os_release_get(const char *text, const char *name) {
    g_autoptr(GHashTable) table = os_release_parse(text);
    return g_strdup(g_hash_table_lookup(table, name));
}

void os_release_append_quoted(GString *text, const char *value) {
    g_string_append_c(text, '"');
    for (const char *at = value; *at; at++) {
        if (strchr("\"$`\\", *at))
            g_string_append_c(text, '\\');
        g_string_append_c(text, *at);
    }
    g_string_append_c(text, '"');
}

static void append_assignment(GString *text, const char *name, const char *value) {
    g_string_append_printf(text, "%s=", name);
    os_release_append_quoted(text, value);
    g_string_append_c(text, '\n');
}

char *os_release_set(const char *text, const char *name, const char *value) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *prefix = g_strconcat(name, "=", NULL);
    GString *result = g_string_new(NULL);
    gboolean written = FALSE;

    for (char **line = lines; *line; line++) {
        if (!**line && !line[1])
            break;
        if (g_str_has_prefix(*line, prefix)) {
            if (!written)
                append_assignment(result, name, value);
            written = TRUE;
        } else
            g_string_append_printf(result, "%s\n", *line);
    }
    if (!written)
        append_assignment(result, name, value);
    return g_string_free(result, FALSE);
}
