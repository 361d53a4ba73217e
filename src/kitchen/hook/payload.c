/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "payload.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "text/json-shape.h"

#define MAX_DEPTH 32
#define HEADS "refs/heads/"
#define TAGS "refs/tags/"

static gboolean is_push(HookKind kind, const char *event) {
    if (kind == HOOK_GITLAB || kind == HOOK_GITLAB_SIGNED)
        return g_strcmp0(event, "Push Hook") == 0 || g_strcmp0(event, "System Hook") == 0;
    return g_strcmp0(event, "push") == 0;
}

static const char *member_text(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
                   ? json_node_get_string(node)
                   : NULL;
}

static gboolean member_is_true(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_BOOLEAN &&
           json_node_get_boolean(node);
}

/* No commit: a branch that was deleted. */
static gboolean is_zero(const char *commit) {
    return commit && commit[0] && strspn(commit, "0") == strlen(commit);
}

static HookMeaning read_push(JsonObject *push, const char *branch, char **ret_words) {
    const char *ref = member_text(push, "ref");

    if (!ref) {
        *ret_words = g_strdup("The payload names no ref");
        return HOOK_WRONG;
    }
    if (g_str_has_prefix(ref, TAGS)) {
        *ret_words = g_strdup("Tags start nothing");
        return HOOK_NOTHING;
    }
    if (!g_str_has_prefix(ref, HEADS)) {
        *ret_words = g_strdup("The ref is no branch");
        return HOOK_NOTHING;
    }
    if (strcmp(ref + strlen(HEADS), branch) != 0) {
        *ret_words = g_strdup_printf("Only the branch \"%s\" is built", branch);
        return HOOK_NOTHING;
    }
    if (member_is_true(push, "deleted") || is_zero(member_text(push, "after"))) {
        *ret_words = g_strdup_printf("The branch \"%s\" was deleted: nothing to build", branch);
        return HOOK_NOTHING;
    }
    *ret_words = g_strdup_printf("Looking at the branch \"%s\" now", branch);
    return HOOK_LOOK;
}

HookMeaning hook_read_payload(HookKind kind, const char *event, GBytes *body, const char *branch, char **ret_words) {
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(GError) error = NULL;
    gsize size = 0;
    const char *text = g_bytes_get_data(body, &size);
    JsonNode *root = NULL;

    if (!event) {
        *ret_words =
                g_strdup("The header with the event is missing: this is no delivery of the forge that the hook is for");
        return HOOK_WRONG;
    }
    if (g_strcmp0(event, "ping") == 0) {
        *ret_words = g_strdup("Pong: the secret is right");
        return HOOK_NOTHING;
    }
    if (!is_push(kind, event)) {
        *ret_words = g_strdup_printf("Events \"%s\" start nothing", event);
        return HOOK_NOTHING;
    }
    if (!json_shape_check(text ?: "", size, MAX_DEPTH, &error) ||
            !json_parser_load_from_data(parser, text ?: "", (gssize) size, &error)) {
        *ret_words = g_strdup_printf(
                "The payload is no JSON (choose the content type application/json): %s", error->message);
        return HOOK_WRONG;
    }
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        *ret_words = g_strdup("The payload is no JSON object");
        return HOOK_WRONG;
    }
    return read_push(json_node_get_object(root), branch, ret_words);
}
