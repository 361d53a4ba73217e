/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The grammar of values in partition definitions: words and paths; numbers are in text/repart-values.h. */

#include "image/definitions/definition-private.h"

#include "image/definitions/disk-error.h"

#include <limits.h>
#include <string.h>

gboolean definition_fail(const Place *place, GError **error, const char *format, ...) {
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, DISK_ERROR, DISK_ERROR_DEFINITION, "%s:%u: %s%s%s", place->path, place->line,
            place->setting ? place->setting : "", place->setting ? "=: " : "", message);
    return FALSE;
}

/* ---- words --------------------------------------------------------------------------------------------- */

/* The character of LENGTH digits to BASE at *AT (advanced), as a byte or as UTF-8. */
static gboolean append_code(GString *word, const char **at, guint base, gsize length, gboolean byte) {
    guint64 code = 0;

    for (gsize i = 0; i < length; i++) {
        int digit = g_ascii_xdigit_value(**at);
        if (digit < 0 || (guint) digit >= base)
            return FALSE;
        code = code * base + digit;
        (*at)++;
    }
    if (code == 0 || (byte && code > 255))
        return FALSE;
    if (byte)
        g_string_append_c(word, (char) code);
    else if (g_unichar_validate(code))
        g_string_append_unichar(word, code);
    else
        return FALSE;
    return TRUE;
}

/* What the sequence behind a backslash at *AT (advanced) stands for. */
static gboolean append_escape(GString *word, const char **at) {
    static const char letters[] = "abfnrtvs\\\"'", meanings[] = "\a\b\f\n\r\t\v \\\"'";
    char letter = *(*at)++;
    const char *found = letter ? strchr(letters, letter) : NULL;

    if (found) {
        g_string_append_c(word, meanings[found - letters]);
        return TRUE;
    }
    switch (letter) {
    case 'x':
        return append_code(word, at, 16, 2, TRUE);
    case 'u':
        return append_code(word, at, 16, 4, FALSE);
    case 'U':
        return append_code(word, at, 16, 8, FALSE);
    default:
        (*at)--;
        return g_ascii_isdigit(letter) && append_code(word, at, 8, 3, TRUE);
    }
}

char *definition_next_word(const char **at, const char *separators, WordFlags flags, gboolean *bad) {
    g_autoptr(GString) word = g_string_new(NULL);
    const char *p = *at;
    char quote = '\0';

    *bad = FALSE;
    if (p && !(flags & WORD_KEEP_EMPTY))
        p += strspn(p, separators);
    if (!p || (!(flags & WORD_KEEP_EMPTY) && !*p)) {
        *at = NULL;
        return NULL;
    }
    while (*p && (quote || !strchr(separators, *p)) && !*bad)
        if (*p == '\\' && (flags & WORD_UNESCAPE)) {
            p++;
            *bad = !append_escape(word, &p);
        } else if (*p == '\\') {
            /* Whatever comes next is meant; a lone backslash at the end is none. */
            *bad = p[1] == '\0';
            g_string_append_c(word, p[1]);
            p += *bad ? 1 : 2;
        } else if ((flags & WORD_UNQUOTE) && (quote ? *p == quote : (*p == '"' || *p == '\''))) {
            quote = quote ? '\0' : *p;
            p++;
        } else
            g_string_append_c(word, *p++);
    *bad |= quote != '\0';
    *at = *p ? p + 1 : NULL;
    return g_string_free(g_steal_pointer(&word), FALSE);
}

GPtrArray *definition_split_words(const Place *place, const char *value, GError **error) {
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    const char *at = value;

    for (;;) {
        gboolean bad;
        g_autofree char *word = definition_next_word(&at, " \t", WORD_UNQUOTE, &bad);

        if (!word)
            return g_steal_pointer(&words);
        if (bad) {
            definition_fail(place, error, "a quotation mark is not closed, or a backslash has nothing behind it");
            return NULL;
        }
        g_ptr_array_add(words, g_steal_pointer(&word));
    }
}

/* ---- specifiers and paths ------------------------------------------------------------------------------ */

char *definition_expand(const Place *place, const char *text, GError **error) {
    g_autoptr(GError) local = NULL;
    char *expanded = specifiers_expand(text, place->specifiers, NULL, &local);

    if (!expanded)
        definition_fail(place, error, "%s", local->message);
    return expanded;
}

/* An absolute path without "..", "." and doubled slashes; "/" becomes "/". */
static char *clean_path(const Place *place, const char *path, GError **error) {
    g_autoptr(GString) out = g_string_new(NULL);

    if (*path != '/') {
        definition_fail(place, error, "\"%s\" is not an absolute path", path);
        return NULL;
    }
    if (strlen(path) >= PATH_MAX) {
        definition_fail(place, error, "a path has %zu bytes, %d are possible", strlen(path), PATH_MAX - 1);
        return NULL;
    }
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    for (char **part = parts; *part; part++) {
        if (**part == '\0' || g_str_equal(*part, "."))
            continue;
        if (g_str_equal(*part, "..")) {
            definition_fail(place, error, "\"%s\" contains \"..\"", path);
            return NULL;
        }
        if (strlen(*part) > NAME_MAX) {
            definition_fail(place, error, "\"%s\" has %zu bytes, a name has room for %d", *part, strlen(*part),
                    NAME_MAX);
            return NULL;
        }
        g_string_append_c(out, '/');
        g_string_append(out, *part);
    }
    if (out->len == 0)
        g_string_append_c(out, '/');
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *definition_expand_path(const Place *place, const char *text, GError **error) {
    g_autofree char *expanded = definition_expand(place, text, error);

    return expanded ? clean_path(place, expanded, error) : NULL;
}
