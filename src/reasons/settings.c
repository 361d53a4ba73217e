/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "`KernelCommandLine`: added quiet; removed splash" */
#include "reasons/comparison.h"

#include <string.h>

#include "reasons/words.h"

/* In front of what nobody can turn back into a secret. */
#define SEALED "sealed:"

static ReasonKind kind_of(const char *setting) {
    static const struct {
        const char *setting;
        ReasonKind kind;
    } kinds[] = {{"Distribution", REASON_DISTRIBUTION}, {"Release", REASON_RELEASE},
            {"Architecture", REASON_ARCHITECTURE}, {"Profiles", REASON_PROFILE}, {"BaseTrees", REASON_BASE},
            {"Environment", REASON_ENVIRONMENT}, {"Seed", REASON_SEED}, {"SourceDateEpoch", REASON_EPOCH}};

    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_str_equal(setting, kinds[i].setting))
            return kinds[i].kind;
    return REASON_SETTING;
}

static gboolean is_sealed(JsonNode *node) {
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING &&
           g_str_has_prefix(json_node_get_string(node), SEALED);
}

static char *shown(JsonNode *node) {
    return is_sealed(node) ? g_strdup("secret") : words_of_node(node);
}

static gboolean is_empty(JsonNode *node) {
    return !node || JSON_NODE_HOLDS_NULL(node);
}

/* "a → b" */
static char *describe_scalar(JsonNode *before, JsonNode *after) {
    g_autofree char *old = shown(before), *new = shown(after);

    if (is_sealed(before) && is_sealed(after))
        return g_strdup("another secret");
    return g_strdup_printf("%s → %s", old, new);
}

/* How often each element is there, by its words. */
static GHashTable *count_elements(JsonArray *array) {
    GHashTable *counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        char *words = words_of_node(json_array_get_element(array, i));
        guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, words));
        g_hash_table_replace(counts, words, GUINT_TO_POINTER(count + 1));
    }
    return counts;
}

/* The elements of ARRAY that OTHER has not, or not as often, in their order. */
static GPtrArray *missing_elements(JsonArray *array, JsonArray *other) {
    g_autoptr(GHashTable) counts = count_elements(other);
    GPtrArray *missing = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        char *words = words_of_node(json_array_get_element(array, i));
        guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, words));
        if (count > 0)
            g_hash_table_replace(counts, words, GUINT_TO_POINTER(count - 1));
        else
            g_ptr_array_add(missing, words);
    }
    return missing;
}

static void append_part(GString *text, const char *verb, const GPtrArray *words) {
    g_autofree char *list = words_list(words);

    if (words->len > 0)
        g_string_append_printf(text, "%s%s %s", text->len > 0 ? "; " : "", verb, list);
}

static char *describe_list(JsonNode *before, JsonNode *after) {
    JsonArray *old = is_empty(before) ? NULL : json_node_get_array(before);
    JsonArray *new = is_empty(after) ? NULL : json_node_get_array(after);
    g_autoptr(GPtrArray) added = missing_elements(new, old), removed = missing_elements(old, new);
    GString *text = g_string_new(NULL);

    append_part(text, "added", added);
    append_part(text, "removed", removed);
    return g_string_free(text->len > 0 ? text : g_string_append(text, "other order"), FALSE);
}

static void describe_member(
        const char *name, JsonNode *before, JsonNode *after, GPtrArray *changed, GPtrArray *added, GPtrArray *removed) {
    g_autofree char *key = words_clean(name), *value = NULL;

    if (before && after && !json_node_equal(before, after)) {
        value = describe_scalar(before, after);
        g_ptr_array_add(changed, g_strdup_printf("%s: %s", key, value));
    } else if (!before) {
        value = shown(after);
        g_ptr_array_add(added, g_strdup_printf("%s=%s", key, value));
    } else if (!after)
        g_ptr_array_add(removed, g_strdup(key));
}

static char *describe_map(JsonNode *before, JsonNode *after) {
    JsonObject *old = is_empty(before) ? NULL : json_node_get_object(before);
    JsonObject *new = is_empty(after) ? NULL : json_node_get_object(after);
    g_autoptr(GPtrArray) names = comparison_members(old, new);
    g_autoptr(GPtrArray) changed = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) added = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) removed = g_ptr_array_new_with_free_func(g_free);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < names->len; i++)
        describe_member(names->pdata[i], old ? json_object_get_member(old, names->pdata[i]) : NULL,
                new ? json_object_get_member(new, names->pdata[i]) : NULL, changed, added, removed);
    if (changed->len > 0) {
        g_autofree char *list = words_list(changed);
        g_string_append(text, list);
    }
    append_part(text, "added", added);
    append_part(text, "removed", removed);
    return g_string_free(text, FALSE);
}

static gboolean both_are(JsonNode *before, JsonNode *after, JsonNodeType type) {
    return (is_empty(before) || JSON_NODE_TYPE(before) == type) && (is_empty(after) || JSON_NODE_TYPE(after) == type);
}

static char *describe(JsonNode *before, JsonNode *after) {
    if (both_are(before, after, JSON_NODE_ARRAY))
        return describe_list(before, after);
    if (both_are(before, after, JSON_NODE_OBJECT))
        return describe_map(before, after);
    return describe_scalar(before, after);
}

static void compare_setting(Comparison *comparison, const char *name, JsonNode *before, JsonNode *after) {
    g_autofree char *words = NULL, *key = NULL, *old = NULL, *new = NULL;

    /* Which settings there are depends on the program alone. */
    if (!before || !after) {
        if (!comparison->other_program)
            comparison_reject(comparison, name);
        return;
    }
    if (json_node_equal(before, after))
        return;
    comparison->settings_differ = TRUE;
    words = describe(before, after);
    key = words_clean(name);
    old = is_empty(before) ? NULL : shown(before);
    new = is_empty(after) ? NULL : shown(after);
    comparison_add(comparison, kind_of(name), g_strdup_printf("`%s`: %s", key, words), name, old, new);
}

void compare_settings(Comparison *comparison, JsonObject *before, JsonObject *after) {
    g_autoptr(GPtrArray) names = comparison_members(before, after);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        compare_setting(comparison, name, before ? json_object_get_member(before, name) : NULL,
                after ? json_object_get_member(after, name) : NULL);
    }
}
