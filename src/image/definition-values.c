/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The grammar of values in partition definitions: numbers, sizes, words, paths. */

#include "image/definition-private.h"

#include "image/disk.h"

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

/* ---- numbers ------------------------------------------------------------------------------------------- */

/* The base that *AT says, which is advanced past the prefix. */
static guint number_base(const char **at) {
    const char *p = *at;

    if (p[0] != '0' || p[1] == '\0')
        return 10;
    char letter = g_ascii_tolower(p[1]);
    guint base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    *at += base ? 2 : 1;
    return base ? base : 8;
}

/* A sign and a magnitude; FALSE: TEXT is no number of 64 bits. */
static gboolean parse_number(const char *text, gboolean *ret_negative, guint64 *ret) {
    const char *at = text;

    *ret_negative = *at == '-';
    at += *at == '-' || *at == '+';
    guint base = number_base(&at);
    if (*at == '\0')
        return FALSE;
    for (*ret = 0; *at; at++) {
        int digit = g_ascii_xdigit_value(*at);
        if (digit < 0 || (guint) digit >= base || !g_uint64_checked_mul(ret, *ret, base) ||
                !g_uint64_checked_add(ret, *ret, digit))
            return FALSE;
    }
    return TRUE;
}

gboolean definition_parse_signed(const char *text, gint64 minimum, gint64 maximum, gint64 *ret) {
    gboolean negative;
    guint64 magnitude;

    if (!parse_number(text, &negative, &magnitude) || magnitude > G_MAXINT64)
        return FALSE;
    gint64 number = negative ? -(gint64) magnitude : (gint64) magnitude;
    if (number < minimum || number > maximum)
        return FALSE;
    *ret = number;
    return TRUE;
}

gboolean definition_parse_unsigned(const char *text, guint64 maximum, guint64 *ret) {
    gboolean negative;
    guint64 magnitude;

    if (!parse_number(text, &negative, &magnitude) || (negative && magnitude > 0) || magnitude > maximum)
        return FALSE;
    *ret = magnitude;
    return TRUE;
}

/* The digits at *AT, behind at most one "+"; *AT is advanced. */
static gboolean parse_digits(const char **at, guint64 *ret) {
    const char *p = *at + (**at == '+');
    gboolean digits = FALSE;

    for (*ret = 0; g_ascii_isdigit(*p); p++, digits = TRUE)
        if (!g_uint64_checked_mul(ret, *ret, 10) || !g_uint64_checked_add(ret, *ret, *p - '0'))
            return FALSE;
    *at = p;
    return digits;
}

/* The fraction behind a point at *AT (advanced), of FACTOR bytes. */
static guint64 parse_fraction(const char **at, guint64 factor, const char *digits) {
    double value = 0, place = 0.1;

    for (; g_ascii_isdigit(*digits); digits++, place /= 10)
        value += (*digits - '0') * place;
    *at = digits;
    return value * factor;
}

gboolean definition_parse_size(const char *value, guint64 *ret) {
    static const char units[] = "EPTGMKB";
    const char *at = value;
    gsize next = 0;

    *ret = 0;
    do {
        guint64 number, part;
        at += strspn(at, " \t");
        if (!parse_digits(&at, &number))
            return FALSE;
        const char *fraction = *at == '.' ? at + 1 : "", *end = fraction;
        if (*at == '.')
            at = end + strspn(end, "0123456789");
        at += strspn(at, " \t");
        /* Bytes without a unit end the size: after them NEXT is behind all units. */
        const char *unit = *at && next < strlen(units) ? memchr(units + next, *at, strlen(units) - next) : NULL;
        gsize index = unit ? (gsize) (unit - units) : strlen(units);
        guint64 factor = index < 6 ? G_GUINT64_CONSTANT(1) << (10 * (6 - index)) : 1;
        if (next > 6 || !g_uint64_checked_mul(&part, number, factor) ||
                !g_uint64_checked_add(&part, part, parse_fraction(&end, factor, fraction)) ||
                !g_uint64_checked_add(ret, *ret, part))
            return FALSE;
        at += unit != NULL;
        next = index + 1;
    } while (*at);
    return TRUE;
}

gboolean definition_parse_boolean(const char *value, gboolean *ret) {
    static const char *const yes[] = {"1", "yes", "y", "true", "t", "on", NULL};
    static const char *const no[] = {"0", "no", "n", "false", "f", "off", NULL};
    g_autofree char *lower = g_ascii_strdown(value, -1);

    *ret = g_strv_contains(yes, lower);
    return *ret || g_strv_contains(no, lower);
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
