/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/boot/command-line.h"

#include <string.h>

#define WHITE_SPACE " \t\n\r"

GPtrArray *command_line_split(const char *command_line) {
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    GString *word = g_string_new(NULL);
    char quote = '\0';
    for (const char *c = command_line;; c++) {
        if (*c == '\0' || (!quote && strchr(WHITE_SPACE, *c))) {
            if (word->len > 0)
                g_ptr_array_add(words, g_strdup(word->str));
            g_string_truncate(word, 0);
            if (*c == '\0')
                break;
        } else if (quote ? *c == quote : *c == '"' || *c == '\'')
            quote = quote ? '\0' : *c;
        else
            g_string_append_c(word, *c);
    }
    g_string_free(word, TRUE);
    return words;
}

/* Whether WORD, up to END, has no double quotes, or two around it all or around its value. */
static gboolean is_quoted_plainly(const char *word, const char *end) {
    const char *first = memchr(word, '"', (gsize) (end - word));
    const char *equals = memchr(word, '=', (gsize) (end - word));
    if (!first)
        return TRUE;
    return (first == word || (equals && equals > word && first == equals + 1)) && end[-1] == '"' && first < end - 1 &&
           memchr(first + 1, '"', (gsize) (end - first - 1)) == end - 1;
}

/* The end of the word at C. */
static const char *find_end(const char *c) {
    gboolean quoted = FALSE;
    for (; *c && (quoted || !strchr(WHITE_SPACE, *c)); c++)
        if (*c == '"')
            quoted = !quoted;
    return quoted ? NULL : c;
}

const char *command_line_ambiguity(const char *command_line) {
    if (strpbrk(command_line, "'\\"))
        return "holds a single quote or a backslash, which kernel and systemd read in different ways";
    /* For the kernel white space is that of C in its own table, where the byte 0xa0 is some, too. */
    if (strpbrk(command_line, "\v\f\xa0"))
        return "holds a byte at which the kernel ends words and systemd does not: they read it in different ways";
    for (const char *c = command_line; *c;) {
        const char *end = find_end(c);
        if (!end)
            return "has a quotation that has no end";
        if (!is_quoted_plainly(c, end))
            return "has quotes inside of a word, which kernel and systemd read in different ways";
        c = *end ? end + 1 : end;
    }
    return NULL;
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
    g_autofree char *value = command_line_get(command_line, strcmp(designator, "usr") == 0 ? "mount.usr" : "root");
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
