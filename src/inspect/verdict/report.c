/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/verdict/report.h"

#include <json-glib/json-glib.h>
#include <string.h>


const char *inspect_verdict_to_string(InspectVerdict verdict) {
    switch (verdict) {
    case INSPECT_OK:
        return "ok";
    case INSPECT_MISSING:
        return "missing";
    case INSPECT_BROKEN:
        return "broken";
    case INSPECT_NOT_APPLICABLE:
        break;
    }
    return "not-applicable";
}

InspectNode *inspect_node_new(const char *id, const char *title) {
    InspectNode *node = g_new0(InspectNode, 1);
    node->id = g_strdup(id);
    node->title = g_strdup(title);
    node->facts = g_ptr_array_new_with_free_func(g_free);
    node->children = g_ptr_array_new_with_free_func((GDestroyNotify) inspect_node_free);
    return node;
}

void inspect_node_free(InspectNode *node) {
    if (!node)
        return;
    g_free(node->id);
    g_free(node->title);
    g_free(node->detail);
    g_ptr_array_unref(node->facts);
    g_ptr_array_unref(node->children);
    g_free(node);
}

InspectNode *inspect_node_add(InspectNode *parent, const char *id, const char *title) {
    InspectNode *node = inspect_node_new(id, title);
    g_ptr_array_add(parent->children, node);
    return node;
}

void inspect_node_set(InspectNode *node, InspectVerdict verdict, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_free(node->detail);
    node->detail = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    node->verdict = verdict;
}

void inspect_node_set_error(InspectNode *node, const GError *error) {
    inspect_node_set(node, INSPECT_BROKEN, "%s", error->message);
}

void inspect_node_add_fact(InspectNode *node, const char *name, const char *value) {
    g_ptr_array_add(node->facts, g_strdup_printf("%s=%s", name, value));
}

InspectVerdict inspect_node_get_worst(const InspectNode *node) {
    InspectVerdict worst = node->verdict;
    for (guint i = 0; i < node->children->len; i++)
        worst = MAX(worst, inspect_node_get_worst(node->children->pdata[i]));
    return worst;
}

guint inspect_node_count(const InspectNode *node, InspectVerdict verdict) {
    if (node->children->len == 0)
        return node->verdict == verdict ? 1 : 0;
    guint n = 0;
    for (guint i = 0; i < node->children->len; i++)
        n += inspect_node_count(node->children->pdata[i], verdict);
    return n;
}

InspectNode *inspect_node_find(InspectNode *node, const char *id) {
    if (strcmp(node->id, id) == 0)
        return node;
    for (guint i = 0; i < node->children->len; i++) {
        InspectNode *found = inspect_node_find(node->children->pdata[i], id);
        if (found)
            return found;
    }
    return NULL;
}

static const char *verdict_colour(const TextStyle *style, InspectVerdict verdict) {
    switch (verdict) {
    case INSPECT_OK:
        return style->green;
    case INSPECT_MISSING:
        return style->yellow;
    case INSPECT_BROKEN:
        return style->red;
    case INSPECT_NOT_APPLICABLE:
        break;
    }
    return style->dim;
}

static const char *verdict_word(InspectVerdict verdict) {
    return verdict == INSPECT_BROKEN           ? "BROKEN"
           : verdict == INSPECT_NOT_APPLICABLE ? "-"
                                               : inspect_verdict_to_string(verdict);
}

/* Names and messages may come from the image: nothing of them may steer the terminal. */
static char *printable(const char *text) {
    g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
    GString *clean = g_string_new(NULL);
    for (const char *c = valid; *c; c = g_utf8_next_char(c)) {
        gunichar character = g_utf8_get_char(c);
        g_string_append_unichar(clean, g_unichar_iscntrl(character) ? ' ' : character);
    }
    return g_string_free(clean, FALSE);
}

static void append_line(GString *text, const TextStyle *style, const InspectNode *node, const char *prefix) {
    InspectVerdict verdict = inspect_node_get_worst(node);
    gboolean is_group = node->children->len > 0;
    g_autofree char *title = printable(node->title);
    g_autofree char *detail = printable(node->detail);
    g_string_append_printf(text, "%s%s%s%s  %s%s%s%s%s\n", prefix, verdict_colour(style, verdict), verdict_word(verdict),
            style->reset, is_group ? style->bold : "", title,
            is_group ? style->reset : "", *detail ? ": " : "", detail);
}

static void append_children(
        GString *text, const TextStyle *style, const InspectNode *node, const char *indent) {
    for (guint i = 0; i < node->children->len; i++) {
        gboolean last = i + 1 == node->children->len;
        g_autofree char *prefix = g_strconcat(indent, last ? "└─ " : "├─ ", NULL);
        g_autofree char *below = g_strconcat(indent, last ? "   " : "│  ", NULL);
        append_line(text, style, node->children->pdata[i], prefix);
        append_children(text, style, node->children->pdata[i], below);
    }
}

char *inspect_node_to_text(const InspectNode *node, const TextStyle *style) {
    g_autoptr(GString) text = g_string_new(NULL);
    append_line(text, style, node, "");
    append_children(text, style, node, "");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void build_json(const InspectNode *node, JsonBuilder *builder) {
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "id");
    json_builder_add_string_value(builder, node->id);
    json_builder_set_member_name(builder, "title");
    json_builder_add_string_value(builder, node->title);
    json_builder_set_member_name(builder, "verdict");
    json_builder_add_string_value(builder, inspect_verdict_to_string(inspect_node_get_worst(node)));
    if (node->detail) {
        g_autofree char *detail = g_utf8_make_valid(node->detail, -1);
        json_builder_set_member_name(builder, "detail");
        json_builder_add_string_value(builder, detail);
    }
    for (guint i = 0; i < node->facts->len; i++) {
        g_auto(GStrv) fact = g_strsplit(node->facts->pdata[i], "=", 2);
        g_autofree char *value = g_utf8_make_valid(fact[1], -1);
        json_builder_set_member_name(builder, fact[0]);
        json_builder_add_string_value(builder, value);
    }
    if (node->children->len > 0) {
        json_builder_set_member_name(builder, "links");
        json_builder_begin_array(builder);
        for (guint i = 0; i < node->children->len; i++)
            build_json(node->children->pdata[i], builder);
        json_builder_end_array(builder);
    }
    json_builder_end_object(builder);
}

char *inspect_node_to_json(const InspectNode *node) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    build_json(node, builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, TRUE);
    return g_strconcat(text, "\n", NULL);
}
