/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Words that checkpoints and proofs are made of: each value has one spelling. For this room alone. */

#include "format/tlog/tlog-tree.h"

#include <string.h>

/* Decimal, without leading zeros, below 2^63. */
static inline gboolean tlog_text_parse_number(const char *text, guint64 *ret) {
    return (*text != '0' || !text[1]) && *text && strspn(text, "0123456789") == strlen(text) &&
           g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, ret, NULL);
}

/* Base64. */
static inline gboolean tlog_text_parse_hash(const char *text, TlogHash *ret) {
    gsize size = 0;
    g_autofree guchar *data = g_base64_decode(text, &size);
    g_autofree char *again = g_base64_encode(data, size);

    if (size != SHA256_SIZE || !g_str_equal(again, text))
        return FALSE;
    memcpy(ret->bytes, data, SHA256_SIZE);
    return TRUE;
}
