/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text/json-shape.h"

#include <string.h>

#define MAX_DEPTH 64

static gboolean wrong(const char *what, gsize at, GError **error) {
    g_set_error(error, G_CONVERT_ERROR, G_CONVERT_ERROR_ILLEGAL_SEQUENCE,
            "The JSON text is wrong at byte %" G_GSIZE_FORMAT ": %s", at + 1, what);
    return FALSE;
}

/* From the quotation mark at AT to the one that ends the string; SIZE when none does. */
static gsize skip_string(const char *text, gsize size, gsize at) {
    for (at++; at < size; at++) {
        if (text[at] == '"')
            return at;
        if ((guint8) text[at] < 0x20)
            return size;
        if (text[at] == '\\')
            at++;
    }
    return size;
}

gboolean json_shape_check(const char *text, gsize size, guint max_depth, GError **error) {
    char open[MAX_DEPTH];
    guint depth = 0;

    g_assert(max_depth <= MAX_DEPTH);
    if (!g_utf8_validate(text, (gssize) size, NULL))
        return wrong("it is no UTF-8", 0, error);
    for (gsize at = 0; at < size; at++) {
        char c = text[at];

        if (c == '"') {
            at = skip_string(text, size, at);
            if (at >= size)
                return wrong("a string has no end", size, error);
        } else if (c == '[' || c == '{') {
            if (depth == max_depth)
                return wrong("it is nested too deep", at, error);
            open[depth++] = c == '[' ? ']' : '}';
        } else if (c == ']' || c == '}') {
            if (depth == 0 || open[--depth] != c)
                return wrong("a bracket matches none", at, error);
        } else if (!c || !strchr(" \t\r\n,:+-.0123456789eEtrufalsn", c))
            return wrong("it has a sign that JSON does not have", at, error);
    }
    return depth == 0 || wrong("a bracket is not closed", size, error);
}
