/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text/version.h"

#include <glib.h>
#include <string.h>

static const char *skip_others(const char *p) {
    while (*p && !g_ascii_isalnum(*p) && !strchr("~-^.", *p))
        p++;
    return p;
}

/* Compares the leading numbers without bounds on their length; advances both. */
static int compare_numbers(const char **a, const char **b) {
    while (**a == '0')
        (*a)++;
    while (**b == '0')
        (*b)++;
    gsize x = strspn(*a, "0123456789"), y = strspn(*b, "0123456789");
    int result = x != y ? (x < y ? -1 : 1) : strncmp(*a, *b, x);
    *a += x;
    *b += y;
    return result;
}

static int compare_letters(const char **a, const char **b) {
    const char *p = *a, *q = *b;
    while (g_ascii_isalpha(**a))
        (*a)++;
    while (g_ascii_isalpha(**b))
        (*b)++;
    gsize x = *a - p, y = *b - q;
    int result = strncmp(p, q, MIN(x, y));
    return result ? result : x < y ? -1 : x > y;
}

/* TRUE when one of both begins with SEPARATOR and so decides; advances both when both do. */
static gboolean compare_separator(char separator, const char **a, const char **b, int *ret) {
    gboolean x = **a == separator, y = **b == separator;
    if (x != y) {
        *ret = x ? -1 : 1;
        return TRUE;
    }
    if (x)
        (*a)++, (*b)++;
    return FALSE;
}

int version_compare(const char *a, const char *b) {
    for (;;) {
        int result;
        a = skip_others(a);
        b = skip_others(b);
        if (compare_separator('~', &a, &b, &result))
            return result;
        if (!*a || !*b)
            return *a ? 1 : *b ? -1 : 0;
        for (const char *separator = "-^."; *separator; separator++)
            if (compare_separator(*separator, &a, &b, &result))
                return result;
        result = g_ascii_isdigit(*a) || g_ascii_isdigit(*b) ? compare_numbers(&a, &b)
                                                            : compare_letters(&a, &b);
        if (result)
            return result;
    }
}
