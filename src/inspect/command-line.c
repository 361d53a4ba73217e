/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/command-line.h"

#include <string.h>

GPtrArray *command_line_split(const char *command_line) {
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    GString *word = g_string_new(NULL);
    gboolean quoted = FALSE;
    for (const char *c = command_line;; c++) {
        if (*c == '"')
            quoted = !quoted;
        else if (*c == '\0' || (g_ascii_isspace(*c) && !quoted)) {
            if (word->len > 0)
                g_ptr_array_add(words, g_strdup(word->str));
            g_string_truncate(word, 0);
            if (*c == '\0')
                break;
        } else
            g_string_append_c(word, *c);
    }
    g_string_free(word, TRUE);
    return words;
}

/* '-' and '_' are the same in names. */
static gboolean name_matches(const char *word, const char *name, gsize length) {
    for (gsize i = 0; i < length; i++) {
        char a = word[i] == '-' ? '_' : word[i], b = name[i] == '-' ? '_' : name[i];
        if (a != b)
            return FALSE;
    }
    return TRUE;
}

char *command_line_get(const char *command_line, const char *name) {
    g_autoptr(GPtrArray) words = command_line_split(command_line);
    gsize length = strlen(name);
    char *value = NULL;
    for (guint i = 0; i < words->len; i++) {
        const char *word = words->pdata[i];
        const char *equals = strchr(word, '=');
        if (!equals || (gsize) (equals - word) != length || !name_matches(word, name, length))
            continue;
        g_free(value);
        value = g_strdup(equals + 1);
    }
    return value;
}

gboolean command_line_dissects(const char *command_line, const char *designator) {
    g_autofree char *value =
            command_line_get(command_line, strcmp(designator, "usr") == 0 ? "mount.usr" : "root");
    /* Without the option, systemd looks for volumes by itself. */
    return !value || strcmp(value, "dissect") == 0 || strcmp(value, "gpt-auto") == 0 ||
           strcmp(value, "gpt-auto-force") == 0 || strcmp(value, "dissect-force") == 0;
}

static gboolean flags_want_signed(const char *flags) {
    g_auto(GStrv) parts = g_strsplit(flags, "+", -1);
    gboolean is_signed = FALSE;
    for (char **part = parts; *part; part++) {
        if (strcmp(*part, "signed") == 0)
            is_signed = TRUE;
        else if (!g_str_has_prefix(*part, "read-only-") && !g_str_has_prefix(*part, "growfs-"))
            return FALSE;
    }
    return is_signed;
}

gboolean image_policy_wants_signed(const char *policy, const char *designator) {
    g_auto(GStrv) rules = g_strsplit(policy, ":", -1);
    const char *fallback = NULL;
    for (char **rule = rules; *rule; rule++) {
        char *equals = strchr(*rule, '=');
        if (!equals)
            continue;
        *equals = '\0';
        if (strcmp(*rule, designator) == 0)
            return flags_want_signed(equals + 1);
        if (**rule == '\0')
            fallback = equals + 1;
    }
    return fallback && flags_want_signed(fallback);
}
