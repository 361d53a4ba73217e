/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/hex.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

char *hex_encode(const void *data, gsize size) {
    const guint8 *bytes = data;
    char *text = g_malloc(size * 2 + 1);
    for (gsize i = 0; i < size; i++) {
        text[i * 2] = digits[bytes[i] >> 4];
        text[i * 2 + 1] = digits[bytes[i] & 15];
    }
    text[size * 2] = '\0';
    return text;
}

GBytes *hex_decode(const char *text, gssize length) {
    gsize n = length < 0 ? strlen(text) : (gsize) length;
    if (n % 2 != 0)
        return NULL;
    g_autofree guint8 *bytes = g_malloc(n / 2 + 1);
    for (gsize i = 0; i < n / 2; i++) {
        int high = g_ascii_xdigit_value(text[i * 2]);
        int low = g_ascii_xdigit_value(text[i * 2 + 1]);
        if (high < 0 || low < 0)
            return NULL;
        bytes[i] = (guint8) (high << 4 | low);
    }
    return g_bytes_new_take(g_steal_pointer(&bytes), n / 2);
}

gboolean hex_is_lower(const char *text, gsize length) {
    return strlen(text) == length && strspn(text, digits) == length;
}
