/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts of the protocol and of the log: read strictly, written in one way only. */

#include <string.h>

#include "signer/client/packet.h"

/* Of any object of the protocol; json-glib reads by recursion. */
#define DEPTH_MAX 8
/* Fit into 64 bits; json-glib takes what remains of larger numbers. */
#define DIGITS_MAX 18

static gboolean set_malformed(GError **error, const char *what) {
    g_set_error(error, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_MALFORMED, "%s", what);
    return FALSE;
}

/* How deep brackets are nested, and how many names stand before colons, outside of strings. */
static void measure(const char *text, gsize size, guint *ret_depth, guint *ret_names) {
    guint depth = 0, deepest = 0, names = 0;
    gboolean quoted = FALSE;

    for (gsize i = 0; i < size; i++) {
        char c = text[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && depth > 0)
            depth--;
        else if (c == ':')
            names++;
        deepest = MAX(deepest, depth);
    }
    *ret_depth = deepest;
    *ret_names = names;
}

static guint count_members(JsonNode *node) {
    guint n = 0;

    if (JSON_NODE_HOLDS_OBJECT(node)) {
        g_autoptr(GList) values = json_object_get_values(json_node_get_object(node));
        for (const GList *value = values; value; value = value->next)
            n += 1 + count_members(value->data);
    } else if (JSON_NODE_HOLDS_ARRAY(node)) {
        JsonArray *array = json_node_get_array(node);
        for (guint i = 0; i < json_array_get_length(array); i++)
            n += count_members(json_array_get_element(array, i));
    }
    return n;
}

/* Readers differ on comments, and on which of two members of one name counts: json-glib takes the last, so
 * fewer are left than were written. */
static gboolean is_strict(const char *text, gsize size, GError **error) {
    gboolean quoted = FALSE, ended = FALSE;
    guint depth = 0, digits = 0;

    for (gsize i = 0; i < size; i++) {
        digits = !quoted && g_ascii_isdigit(text[i]) ? digits + 1 : 0;
        if (digits > DIGITS_MAX)
            return set_malformed(error, "a number that is too large");
        if (ended && !g_ascii_isspace(text[i]))
            return set_malformed(error, "something behind the JSON object");
        if (quoted && text[i] == '\\' && (i + 1 == size || !strchr("\"\\/bfnrtu", text[i + 1])))
            return set_malformed(error, "an escape that JSON does not have");
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && (text[i] == '/' || text[i] == '\''))
            return set_malformed(error, "JSON with comments, or with strings in single quotes");
        else if (!quoted && (text[i] == '{' || text[i] == '['))
            depth++;
        else if (!quoted && (text[i] == '}' || text[i] == ']') && depth > 0)
            ended = --depth == 0;
    }
    return TRUE;
}

/* The protocol has no fractions, and of those not every text is the only one for its number. */
static gboolean has_fraction(JsonNode *node) {
    gboolean found = JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_DOUBLE;

    if (JSON_NODE_HOLDS_OBJECT(node)) {
        g_autoptr(GList) values = json_object_get_values(json_node_get_object(node));
        for (const GList *value = values; value && !found; value = value->next)
            found = has_fraction(value->data);
    } else if (JSON_NODE_HOLDS_ARRAY(node)) {
        JsonArray *array = json_node_get_array(node);
        for (guint i = 0; i < json_array_get_length(array) && !found; i++)
            found = has_fraction(json_array_get_element(array, i));
    }
    return found;
}

JsonObject *signer_packet_parse(const char *text, gsize size, GError **error) {
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    guint depth, names;

    if (size == 0 || size > G_MAXINT || !g_utf8_validate(text, (gssize) size, NULL)) {
        set_malformed(error, "not UTF-8 text");
        return NULL;
    }
    measure(text, size, &depth, &names);
    if (depth > DEPTH_MAX) {
        set_malformed(error, "JSON that is nested too deeply");
        return NULL;
    }
    if (!is_strict(text, size, error))
        return NULL;
    g_autoptr(GError) problem = NULL;
    if (!json_parser_load_from_data(parser, text, (gssize) size, &problem)) {
        set_malformed(error, problem->message);
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        set_malformed(error, "not a JSON object");
        return NULL;
    }
    if (count_members(root) != names) {
        set_malformed(error, "a name that is there twice in one object");
        return NULL;
    }
    if (has_fraction(root)) {
        set_malformed(error, "a number that is not whole");
        return NULL;
    }
    /* Halves of characters can be spelt, but not written. */
    g_autofree char *again = signer_packet_to_text(json_node_get_object(root));
    if (!g_utf8_validate(again, -1, NULL)) {
        set_malformed(error, "a string that is no text");
        return NULL;
    }
    return json_object_ref(json_node_get_object(root));
}

static void append_string(GString *text, const char *value) {
    g_string_append_c(text, '"');
    for (const char *p = value; *p; p++)
        if (*p == '"' || *p == '\\')
            g_string_append_printf(text, "\\%c", *p);
        else if ((guchar) *p < 0x20 || *p == 0x7f)
            g_string_append_printf(text, "\\u%04x", (guint) *p);
        else
            g_string_append_c(text, *p);
    g_string_append_c(text, '"');
}

static void append_node(GString *text, JsonNode *node);

static int compare_names(gconstpointer a, gconstpointer b) {
    return strcmp(a, b);
}

static void append_object(GString *text, JsonObject *object) {
    g_autoptr(GList) names = g_list_sort(json_object_get_members(object), compare_names);

    g_string_append_c(text, '{');
    for (const GList *name = names; name; name = name->next) {
        if (name != names)
            g_string_append_c(text, ',');
        append_string(text, name->data);
        g_string_append_c(text, ':');
        append_node(text, json_object_get_member(object, name->data));
    }
    g_string_append_c(text, '}');
}

static void append_array(GString *text, JsonArray *array) {
    g_string_append_c(text, '[');
    for (guint i = 0; i < json_array_get_length(array); i++) {
        if (i > 0)
            g_string_append_c(text, ',');
        append_node(text, json_array_get_element(array, i));
    }
    g_string_append_c(text, ']');
}

static void append_node(GString *text, JsonNode *node) {
    if (JSON_NODE_HOLDS_OBJECT(node))
        append_object(text, json_node_get_object(node));
    else if (JSON_NODE_HOLDS_ARRAY(node))
        append_array(text, json_node_get_array(node));
    else if (JSON_NODE_HOLDS_NULL(node))
        g_string_append(text, "null");
    else if (json_node_get_value_type(node) == G_TYPE_STRING)
        append_string(text, json_node_get_string(node));
    else if (json_node_get_value_type(node) == G_TYPE_BOOLEAN)
        g_string_append(text, json_node_get_boolean(node) ? "true" : "false");
    else
        g_string_append_printf(text, "%" G_GINT64_FORMAT, json_node_get_int(node));
}

char *signer_packet_to_text(JsonObject *object) {
    GString *text = g_string_new(NULL);
    append_object(text, object);
    return g_string_free(text, FALSE);
}
