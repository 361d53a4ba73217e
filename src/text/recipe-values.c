/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text/recipe-values.h"

#include <errno.h>
#include <math.h>
#include <string.h>

gboolean recipe_boolean_parse(const char *text, gboolean *ret) {
    static const char *const yes[] = {"1", "true", "yes", "y", "t", "on", "always", NULL};
    static const char *const no[] = {"0", "false", "no", "n", "f", "off", "never", NULL};
    g_autofree char *lower = g_ascii_strdown(text, -1);

    *ret = g_strv_contains(yes, lower);
    return *ret || g_strv_contains(no, lower);
}

gboolean recipe_integer_parse(const char *text, int base, gint64 *ret) {
    char *end;
    if (base == 8 && (g_str_has_prefix(text, "0o") || g_str_has_prefix(text, "0O")))
        text += 2;
    errno = 0;
    *ret = g_ascii_strtoll(text, &end, base);
    return end != text && errno == 0 && *(end + strspn(end, " ")) == 0;
}

/* A decimal number with an optional fraction and exponent, nothing else that strtod() knows. */
static gboolean parse_decimal(const char *text, double *ret) {
    g_autofree char *stripped = g_strstrip(g_strdup(text));
    if (!*stripped || strspn(stripped, "0123456789.eE+-") != strlen(stripped))
        return FALSE;
    char *end;
    *ret = g_ascii_strtod(stripped, &end);
    return *end == 0;
}

RecipeSize recipe_size_parse(const char *text, gint64 *ret) {
    static const char suffixes[] = "KMG";
    gsize length = strlen(text);
    const char *suffix = length > 0 ? strchr(suffixes, text[length - 1]) : NULL;
    double factor = suffix ? (double) (G_GINT64_CONSTANT(1) << (10 * (suffix - suffixes + 1))) : 1;
    g_autofree char *number = g_strndup(text, length - (suffix ? 1 : 0));
    double value;
    if (!parse_decimal(number, &value))
        return RECIPE_SIZE_NOT_A_NUMBER;
    value = ceil(value * factor);
    if (!(value > 0 && value < 9e18))
        return RECIPE_SIZE_OUT_OF_RANGE;
    *ret = ((gint64) value + 4095) / 4096 * 4096;
    return RECIPE_SIZE_GOOD;
}
