/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text/repart-values.h"

#include <string.h>

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

gboolean repart_signed_parse(const char *text, gint64 minimum, gint64 maximum, gint64 *ret) {
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

gboolean repart_unsigned_parse(const char *text, guint64 maximum, guint64 *ret) {
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

gboolean repart_size_parse(const char *value, guint64 *ret) {
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

gboolean repart_boolean_parse(const char *value, gboolean *ret) {
    static const char *const yes[] = {"1", "yes", "y", "true", "t", "on", NULL};
    static const char *const no[] = {"0", "no", "n", "false", "f", "off", NULL};
    g_autofree char *lower = g_ascii_strdown(value, -1);

    *ret = g_strv_contains(yes, lower);
    return *ret || g_strv_contains(no, lower);
}
