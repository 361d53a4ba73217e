/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reasons/words.h"

#include <string.h>

#define LONGEST 160
#define MOST_WORDS 6

char *words_clean(const char *text) {
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *clean = g_string_new(NULL);
    guint length = 0;

    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (length++ == LONGEST) {
            g_string_append(clean, "…");
            break;
        }
        g_string_append_unichar(clean, g_unichar_isprint(c) ? c : ' ');
    }
    return g_string_free(clean, FALSE);
}

static char *words_of_value(JsonNode *node) {
    GType type = json_node_get_value_type(node);

    if (type == G_TYPE_BOOLEAN)
        return g_strdup(json_node_get_boolean(node) ? "yes" : "no");
    if (type == G_TYPE_INT64)
        return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
    if (type == G_TYPE_STRING) {
        const char *text = json_node_get_string(node);
        return *text ? words_clean(text) : g_strdup("\"\"");
    }
    return g_strdup_printf("%g", json_node_get_double(node));
}

static const char *string_member(JsonObject *object, const char *key) {
    JsonNode *node = json_object_get_member(object, key);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
                   ? json_node_get_string(node)
                   : NULL;
}

char *words_of_node(JsonNode *node) {
    if (!node || JSON_NODE_HOLDS_NULL(node))
        return g_strdup("not set");
    if (JSON_NODE_HOLDS_VALUE(node))
        return words_of_value(node);
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        const char *source = string_member(json_node_get_object(node), "Source");
        const char *target = string_member(json_node_get_object(node), "Target");
        if (source) {
            g_autofree char *both = g_strconcat(source, target ? ":" : "", target, NULL);
            return words_clean(both);
        }
    }
    g_autofree char *json = json_to_string(node, FALSE);
    return words_clean(json);
}

char *words_list(const GPtrArray *words) {
    GString *text = g_string_new(NULL);
    guint shown = words->len > MOST_WORDS + 1 ? MOST_WORDS : words->len;

    for (guint i = 0; i < shown; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", (const char *) words->pdata[i]);
    if (shown < words->len)
        g_string_append_printf(text, " and %u more", words->len - shown);
    return g_string_free(text, FALSE);
}

char *words_and_more(guint more) {
    return more > 0 ? g_strdup_printf(", and %u more", more) : g_strdup("");
}
