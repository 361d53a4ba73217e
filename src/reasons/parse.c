/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "reasons/reasons.h"

/* Input sets have eight levels. A parser that calls itself for each level needs a limit. */
#define DEEPEST 32

static gboolean is_shallow(const char *text, gsize length) {
    gboolean quoted = FALSE;
    int depth = 0;

    for (gsize i = 0; i < length; i++) {
        char c = text[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (c == '"')
            quoted = TRUE;
        else if (c == '{' || c == '[') {
            if (++depth > DEEPEST)
                return FALSE;
        } else if (c == '}' || c == ']')
            depth--;
    }
    return TRUE;
}

JsonNode *reasons_parse(const char *text, gssize length, GError **error) {
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    gsize size = length < 0 ? strlen(text) : (gsize) length;
    g_autoptr(GError) problem = NULL;

    if (size > REASONS_LARGEST || !is_shallow(text, size) || !g_utf8_validate(text, size, NULL)) {
        g_set_error(error, REASONS_ERROR, REASONS_ERROR_SYNTAX,
                "It is not what particleos inputs --json writes: too large, too deep, or no text");
        return NULL;
    }
    if (!json_parser_load_from_data(parser, text, size, &problem) || !json_parser_get_root(parser)) {
        g_set_error(error, REASONS_ERROR, REASONS_ERROR_SYNTAX, "It is no JSON: %s",
                problem ? problem->message : "it is empty");
        return NULL;
    }
    return json_node_ref(json_parser_get_root(parser));
}
