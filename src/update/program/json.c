/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/program/json.h"

#include <string.h>

void json_put_string(GString *out, const char *text) {
    if (!text) {
        g_string_append(out, "null");
        return;
    }
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_string_append_c(out, '"');
    for (const char *at = valid; *at; at++) {
        if (*at == '"' || *at == '\\')
            g_string_append_printf(out, "\\%c", *at);
        else if ((guint8) *at < 0x20 || *at == 0x7f)
            g_string_append_printf(out, "\\u%04x", (guint8) *at);
        else
            g_string_append_c(out, *at);
    }
    g_string_append_c(out, '"');
}

static void put_name(GString *out, const char *name) {
    if (out->len > 0 && !strchr("{[", out->str[out->len - 1]))
        g_string_append_c(out, ',');
    json_put_string(out, name);
    g_string_append_c(out, ':');
}

void json_put_text(GString *out, const char *name, const char *text) {
    put_name(out, name);
    json_put_string(out, text);
}

void json_put_number(GString *out, const char *name, gint64 number) {
    put_name(out, name);
    g_string_append_printf(out, "%" G_GINT64_FORMAT, number);
}

void json_put_boolean(GString *out, const char *name, gboolean value) {
    put_name(out, name);
    g_string_append(out, value ? "true" : "false");
}
