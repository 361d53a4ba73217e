/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reasons/comparison.h"

#include <string.h>

#include "base/compare.h"
#include "reasons/words.h"

/* A reason that concerns more images than these concerns all. */
#define MOST_IMAGES 64

void comparison_reject(Comparison *comparison, const char *what) {
    g_autofree char *clean = words_clean(what);

    if (!comparison->problem)
        g_set_error(&comparison->problem, REASONS_ERROR, REASONS_ERROR_SYNTAX,
                "\"%s\" is not what particleos inputs --json writes there", clean);
}

static JsonNode *member(JsonObject *object, const char *key) {
    JsonNode *node = object ? json_object_get_member(object, key) : NULL;
    return node && !JSON_NODE_HOLDS_NULL(node) ? node : NULL;
}

JsonObject *comparison_object(Comparison *comparison, JsonObject *object, const char *key) {
    JsonNode *node = member(object, key);

    if (!node)
        return NULL;
    if (JSON_NODE_HOLDS_OBJECT(node))
        return json_node_get_object(node);
    comparison_reject(comparison, key);
    return NULL;
}

const char *comparison_string(Comparison *comparison, JsonObject *object, const char *key) {
    JsonNode *node = member(object, key);

    if (!node)
        return NULL;
    if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING)
        return json_node_get_string(node);
    comparison_reject(comparison, key);
    return NULL;
}

static void add_names(GHashTable *names, JsonObject *object) {
    g_autoptr(GList) members = object ? json_object_get_members(object) : NULL;

    for (GList *name = members; name; name = name->next)
        g_hash_table_add(names, name->data);
}

GPtrArray *comparison_members(JsonObject *before, JsonObject *after) {
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *sorted = g_ptr_array_new();
    GHashTableIter iter;
    gpointer name;

    add_names(names, before);
    add_names(names, after);
    g_hash_table_iter_init(&iter, names);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_ptr_array_add(sorted, name);
    g_ptr_array_sort(sorted, compare_strings);
    return sorted;
}

static void add_image(Reason *reason, const char *image) {
    guint n = g_strv_length(reason->images);

    if (!image || n >= MOST_IMAGES || g_strv_contains((const char *const *) reason->images, image))
        return;
    reason->images = g_renew(char *, reason->images, n + 2);
    reason->images[n] = words_clean(image);
    reason->images[n + 1] = NULL;
}

void comparison_add(Comparison *comparison, ReasonKind kind, char *text, const char *subject, const char *before,
        const char *after) {
    g_autofree char *key = g_strdup_printf("%d %s", comparison->tools ? REASON_TOOLS : kind, text);
    Reason *reason = g_hash_table_lookup(comparison->index, key);

    if (!reason) {
        reason = g_new0(Reason, 1);
        reason->kind = comparison->tools ? REASON_TOOLS : kind;
        reason->text = g_strdup(text);
        reason->subject = words_clean(subject);
        reason->before = before ? words_clean(before) : NULL;
        reason->after = after ? words_clean(after) : NULL;
        reason->images = g_new0(char *, 1);
        g_ptr_array_add(comparison->reasons, reason);
        g_hash_table_insert(comparison->index, g_steal_pointer(&key), reason);
    }
    add_image(reason, comparison->image);
    g_free(text);
}
