/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/values/split.h"

#include <string.h>

#include "recipe/language/error.h"

static char **split_at(const char *text, const char *separators) {
    GPtrArray *words = g_ptr_array_new();
    while (*text) {
        gsize length = strcspn(text, separators);
        if (length > 0)
            g_ptr_array_add(words, g_strndup(text, length));
        text += length;
        text += strspn(text, separators);
    }
    g_ptr_array_add(words, NULL);
    return (char **) g_ptr_array_free(words, FALSE);
}

/* Appends what stands between the quotes at *P to WORD and moves behind them. */
static gboolean take_quoted(const char **p, GString *word, GError **error) {
    char quote = *(*p)++;
    for (; **p && **p != quote; (*p)++) {
        if (quote == '"' && **p == '\\' && ((*p)[1] == '"' || (*p)[1] == '\\'))
            (*p)++;
        g_string_append_c(word, **p);
    }
    if (!**p) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "A quotation that begins with %c is not closed", quote);
        return FALSE;
    }
    (*p)++;
    return TRUE;
}

static gboolean take_word(const char **p, GString *word, GError **error) {
    while (**p && **p != ' ' && **p != '\n') {
        if (**p == '\'' || **p == '"') {
            if (!take_quoted(p, word, error))
                return FALSE;
            continue;
        }
        if (**p == '\\' && !*++*p) {
            g_set_error_literal(
                    error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "A backslash at the very end escapes nothing");
            return FALSE;
        }
        g_string_append_c(word, *(*p)++);
    }
    return TRUE;
}

static char **split_shell(const char *text, GError **error) {
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    for (const char *p = text;;) {
        p += strspn(p, " \n");
        if (!*p)
            break;
        g_autoptr(GString) word = g_string_new(NULL);
        if (!take_word(&p, word, error))
            return NULL;
        if (word->len > 0)
            g_ptr_array_add(words, g_string_free(g_steal_pointer(&word), FALSE));
    }
    g_ptr_array_add(words, NULL);
    return (char **) g_ptr_array_steal(words, NULL);
}

char **split_value(const char *text, SettingSplit split, GError **error) {
    if (split == SPLIT_SHELL)
        return split_shell(text, error);
    return split_at(text, split == SPLIT_LINES ? " \n" : ", \t\n\r\v\f");
}
