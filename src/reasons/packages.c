/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "systemd 262-1 → 262-2, and 3 more" */
#include "reasons/comparison.h"

#include <string.h>

#include "reasons/words.h"

/* What happened to packages of one set, by kind of reason. */
typedef struct {
    char *first; /* the words for the most important one; NULL: none */
    char *name, *before, *after;
    guint count;
    gboolean first_is_named;
} Change;

typedef struct {
    Comparison *comparison;
    GHashTable *named; /* what Packages= says */
    Change changes[4];
} Packages;

static void change_clear(Change *change) {
    g_free(change->first);
    g_free(change->name);
    g_free(change->before);
    g_free(change->after);
}

/* What the recipe asks for by name is more interesting than what that needs. */
static GHashTable *list_named(JsonObject *settings, const char *setting) {
    GHashTable *named = g_hash_table_new(g_str_hash, g_str_equal);
    JsonNode *node = settings ? json_object_get_member(settings, setting) : NULL;
    JsonArray *array = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonNode *element = json_array_get_element(array, i);
        if (JSON_NODE_HOLDS_VALUE(element) && json_node_get_value_type(element) == G_TYPE_STRING)
            g_hash_table_add(named, (char *) json_node_get_string(element));
    }
    return named;
}

static void note(Packages *packages, ReasonKind kind, const char *name, const char *before, const char *after,
        const char *words) {
    Change *change = &packages->changes[kind - REASON_PACKAGES_UPDATED];
    gboolean named = g_hash_table_contains(packages->named, name);

    change->count++;
    if (change->first && (change->first_is_named || !named))
        return;
    change_clear(change);
    change->first = g_strdup(words);
    change->name = g_strdup(name);
    change->before = g_strdup(before);
    change->after = g_strdup(after);
    change->first_is_named = named;
}

static const char *version_of(Packages *packages, JsonObject *package) {
    const char *version = comparison_string(packages->comparison, package, "version");
    return version && *version ? version : comparison_string(packages->comparison, package, "file");
}

static void compare_package(Packages *packages, const char *name, JsonObject *before, JsonObject *after) {
    Comparison *comparison = packages->comparison;
    const char *old = before ? version_of(packages, before) : NULL;
    const char *new = after ? version_of(packages, after) : NULL;
    g_autofree char *shown = words_clean(name), *old_shown = words_clean(old ? old : "");
    g_autofree char *new_shown = words_clean(new ? new : ""), *words = NULL;
    ReasonKind kind = REASON_PACKAGES_UPDATED;

    if (before && after && g_strcmp0(old, new) == 0) {
        if (g_strcmp0(comparison_string(comparison, before, "digest"),
                    comparison_string(comparison, after, "digest")) == 0)
            return;
        kind = REASON_PACKAGES_REBUILT;
        words = g_strdup_printf("%s %s was rebuilt", shown, new_shown);
    } else if (before && after)
        words = g_strdup_printf("%s %s → %s", shown, old_shown, new_shown);
    else {
        kind = after ? REASON_PACKAGES_ADDED : REASON_PACKAGES_REMOVED;
        words = g_strdup_printf("%s %s %s", shown, after ? new_shown : old_shown, after ? "added" : "removed");
    }
    note(packages, kind, name, old, new, words);
}

static void tell(Packages *packages, const char *set) {
    for (guint i = 0; i < G_N_ELEMENTS(packages->changes); i++) {
        Change *change = &packages->changes[i];
        g_autofree char *more = words_and_more(change->count - 1);
        if (!change->first)
            continue;
        comparison_add(packages->comparison, REASON_PACKAGES_UPDATED + i, g_strconcat(change->first, more, set, NULL),
                change->name, change->before, change->after);
        change_clear(change);
    }
}

static void compare_set(
        Comparison *comparison, JsonObject *before, JsonObject *after, GHashTable *named, const char *words) {
    Packages packages = {.comparison = comparison, .named = named};
    g_autoptr(GPtrArray) names = comparison_members(before, after);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        compare_package(&packages, name, comparison_object(comparison, before, name),
                comparison_object(comparison, after, name));
    }
    tell(&packages, words);
}

void compare_packages(Comparison *comparison, JsonObject *before, JsonObject *after, JsonObject *settings) {
    static const struct {
        const char *key, *setting, *words;
    } sets[] = {{"install", "Packages", ""}, {"build", "BuildPackages", " (build packages)"},
            {"volatile", "VolatilePackages", " (volatile packages)"}};

    for (guint i = 0; i < G_N_ELEMENTS(sets); i++) {
        g_autoptr(GHashTable) named = list_named(settings, sets[i].setting);
        compare_set(comparison, comparison_object(comparison, before, sets[i].key),
                comparison_object(comparison, after, sets[i].key), named, sets[i].words);
    }
}
