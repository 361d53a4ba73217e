/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reasons/comparison.h"

#include <string.h>

#include "reasons/words.h"

#define KNOWN_VERSION 1
#define SHORT_DIGEST 16

static JsonObject *check_version(JsonNode *node, const char *which, GError **error) {
    JsonObject *object = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    JsonNode *version = object ? json_object_get_member(object, "version") : NULL;

    if (!version || !JSON_NODE_HOLDS_VALUE(version) || json_node_get_value_type(version) != G_TYPE_INT64) {
        g_set_error(error, REASONS_ERROR, REASONS_ERROR_SYNTAX,
                "The %s inputs are not what particleos inputs --json writes", which);
        return NULL;
    }
    if (json_node_get_int(version) == KNOWN_VERSION)
        return object;
    g_set_error(error, REASONS_ERROR, REASONS_ERROR_VERSION,
            "The %s inputs are of version %" G_GINT64_FORMAT ", this program knows version %d", which,
            json_node_get_int(version), KNOWN_VERSION);
    return NULL;
}

static char *short_digest(const char *text) {
    g_autofree char *head = text ? g_strndup(text, SHORT_DIGEST) : NULL;
    return head ? words_clean(head) : g_strdup("not set");
}

static void compare_certificates(Comparison *comparison, JsonObject *before, JsonObject *after) {
    g_autoptr(GPtrArray) names = comparison_members(before, after);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        const char *old = comparison_string(comparison, before, name),
                   *new = comparison_string(comparison, after, name);
        if (g_strcmp0(old, new) == 0)
            continue;
        g_autofree char *key = words_clean(name), *old_digest = short_digest(old), *new_digest = short_digest(new);
        comparison_add(comparison, REASON_CERTIFICATE, g_strdup_printf("`%s`: %s → %s", key, old_digest, new_digest),
                name, old, new);
    }
}

static GPtrArray *script_words(Comparison *comparison, JsonObject *metadata) {
    JsonNode *node = metadata ? json_object_get_member(metadata, "scripts") : NULL;
    JsonArray *array = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

    if (metadata && !array)
        comparison_reject(comparison, "scripts");
    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        g_autofree char *name = words_of_node(json_array_get_element(array, i));
        g_ptr_array_add(words, g_strdup_printf("`%s`", name));
    }
    return words;
}

/* Whether an earlier build showed that the scripts take nothing from the repositories. */
static gboolean is_unused(JsonObject *metadata) {
    JsonNode *node = json_object_get_member(metadata, "unused");

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_BOOLEAN &&
           json_node_get_boolean(node);
}

/* Where scripts came or went, that is a setting. */
static void compare_metadata(Comparison *comparison, JsonObject *before, JsonObject *after) {
    JsonObject *old = comparison_object(comparison, before, "repositories");
    JsonObject *new = comparison_object(comparison, after, "repositories");
    g_autoptr(GPtrArray) names = before && after ? comparison_members(old, new) : g_ptr_array_new();
    g_autoptr(GPtrArray) changed = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) scripts = script_words(comparison, after);

    for (guint i = 0; i < names->len; i++)
        if (g_strcmp0(comparison_string(comparison, old, names->pdata[i]),
                    comparison_string(comparison, new, names->pdata[i])) != 0)
            g_ptr_array_add(changed, words_clean(names->pdata[i]));
    if (changed->len == 0 || is_unused(after))
        return;
    g_autofree char *suites = words_list(changed), *who = words_list(scripts);
    comparison_add(comparison, REASON_METADATA,
            g_strdup_printf("metadata of %s changed; %s may install from it", suites, who), suites, NULL, NULL);
}

/* That they count at all is a setting. */
static void compare_machine(Comparison *comparison, JsonObject *before, JsonObject *after) {
    static const struct {
        const char *key, *text;
    } parts[] = {{"modules", "other kernel modules on the machine that builds"},
            {"processor", "another processor in the machine that builds"}};

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        const char *old = comparison_string(comparison, before, parts[i].key);
        const char *new = comparison_string(comparison, after, parts[i].key);
        if (old && new && !g_str_equal(old, new))
            comparison_add(comparison, REASON_MACHINE, g_strdup(parts[i].text), parts[i].key, old, new);
    }
}

static void compare_programs(Comparison *comparison, JsonObject *before, JsonObject *after) {
    g_autoptr(GPtrArray) names = before && after ? comparison_members(before, after) : g_ptr_array_new();

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        const char *old = comparison_string(comparison, before, name),
                   *new = comparison_string(comparison, after, name);
        if (g_strcmp0(old, new) == 0)
            continue;
        g_autofree char *clean = words_clean(name);
        comparison_add(comparison, REASON_TOOLS, g_strdup_printf("tools: `%s` changed", clean), name, old, new);
    }
}

/* That there are none now, or some, is in the list of packages. */
static void compare_package_sources(Comparison *comparison, JsonObject *before, JsonObject *after) {
    const char *old = comparison_string(comparison, before, "sources");
    const char *new = comparison_string(comparison, after, "sources");

    if (old && new && !g_str_equal(old, new))
        comparison_add(comparison, REASON_SETTING, g_strdup("other sources of packages for the system in the image"),
                "sources", old, new);
}

static void compare_image(Comparison *comparison, JsonObject *before, JsonObject *after) {
    JsonObject *settings = comparison_object(comparison, after, "settings");

    compare_settings(comparison, comparison_object(comparison, before, "settings"), settings);
    /* Earlier programs did not list those of the tools tree. */
    if (!comparison->tools || comparison_object(comparison, before, "packages"))
        compare_packages(comparison, comparison_object(comparison, before, "packages"),
                comparison_object(comparison, after, "packages"), settings);
    compare_files(
            comparison, comparison_object(comparison, before, "files"), comparison_object(comparison, after, "files"));
    compare_certificates(comparison, comparison_object(comparison, before, "certificates"),
            comparison_object(comparison, after, "certificates"));
    compare_metadata(comparison, comparison_object(comparison, before, "metadata"),
            comparison_object(comparison, after, "metadata"));
    compare_package_sources(comparison, before, after);
    compare_machine(comparison, comparison_object(comparison, before, "machine"),
            comparison_object(comparison, after, "machine"));
    compare_programs(comparison, comparison_object(comparison, before, "programs"),
            comparison_object(comparison, after, "programs"));
}

static void compare_presence(Comparison *comparison, const char *name, gboolean added) {
    g_autofree char *clean = words_clean(name);

    comparison->settings_differ = TRUE;
    comparison_add(comparison, REASON_IMAGE, g_strdup_printf("image `%s` was %s", clean, added ? "added" : "removed"),
            name, NULL, NULL);
}

static void compare_images(Comparison *comparison, JsonObject *before, JsonObject *after) {
    g_autoptr(GPtrArray) names = comparison_members(before, after);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        JsonObject *old = comparison_object(comparison, before, name),
                   *new = comparison_object(comparison, after, name);
        if (!old != !new) {
            compare_presence(comparison, name, new != NULL);
            continue;
        }
        comparison->image = name;
        compare_image(comparison, old, new);
        comparison->image = NULL;
    }
}

static void compare_tools(Comparison *comparison, JsonObject *before, JsonObject *after) {
    if (!before && !after)
        return;
    comparison->tools = TRUE;
    if (before && after) {
        comparison->image = "tools";
        compare_image(comparison, before, after);
        comparison->image = NULL;
    } else
        comparison_add(comparison, REASON_TOOLS,
                g_strdup(after ? "the recipe makes its tools tree now" : "the recipe makes no tools tree any more"),
                "ToolsTree", NULL, NULL);
    comparison->tools = FALSE;
}

static void compare_program(Comparison *comparison, JsonObject *before, JsonObject *after) {
    const char *old = comparison_string(comparison, before, "version");
    const char *new = comparison_string(comparison, after, "version");
    const char *old_build = comparison_string(comparison, before, "build");
    const char *new_build = comparison_string(comparison, after, "build");

    if (!old || !new) {
        comparison_reject(comparison, "program");
        return;
    }
    comparison->other_program = g_strcmp0(old, new) != 0 || g_strcmp0(old_build, new_build) != 0;
    if (!comparison->other_program)
        return;
    g_autofree char *old_words = words_clean(old), *new_words = words_clean(new);
    char *text = g_str_equal(old, new) ? g_strdup_printf("particleos %s: another build of it", new_words)
                                       : g_strdup_printf("particleos %s → %s", old_words, new_words);
    comparison_add(comparison, REASON_PROGRAM, text, "particleos", old, new);
}

static int compare_kinds(gconstpointer a, gconstpointer b) {
    const Reason *left = *(Reason *const *) a, *right = *(Reason *const *) b;
    return (int) left->kind - (int) right->kind;
}

/* Whether the words alone tell which image it is. */
static gboolean needs_image(const Reason *reason) {
    switch (reason->kind) {
    case REASON_IMAGE:
    case REASON_RECIPE:
    case REASON_SCRIPT:
    case REASON_TREE:
    case REASON_SOURCE:
    case REASON_PROGRAM:
        return FALSE;
    case REASON_TOOLS:
        return !g_str_has_prefix(reason->text, "tools: ");
    default:
        return TRUE;
    }
}

/* What concerns the main image needs no name; "main" comes first of several. */
static void name_images(Reason *reason) {
    guint n = g_strv_length(reason->images);

    for (guint i = 1; i < n; i++)
        if (g_str_equal(reason->images[i], "main")) {
            char *main = reason->images[i];
            memmove(reason->images + 1, reason->images, i * sizeof(char *));
            reason->images[0] = main;
        }
    if (n == 0 || !needs_image(reason) || g_str_equal(reason->images[0], "main"))
        return;
    g_autofree char *names = g_strjoinv(", ", reason->images);
    char *text = g_strdup_printf("%s: %s", names, reason->text);
    g_free(reason->text);
    reason->text = text;
}

static gboolean compare_all(Comparison *comparison, JsonObject *before, JsonObject *after) {
    compare_program(comparison, comparison_object(comparison, before, "program"),
            comparison_object(comparison, after, "program"));
    compare_images(comparison, comparison_object(comparison, before, "images"),
            comparison_object(comparison, after, "images"));
    compare_tools(
            comparison, comparison_object(comparison, before, "tools"), comparison_object(comparison, after, "tools"));
    compare_recipe(comparison, comparison_object(comparison, before, "recipe"),
            comparison_object(comparison, after, "recipe"));
    g_ptr_array_sort(comparison->reasons, compare_kinds);
    for (guint i = 0; i < comparison->reasons->len; i++)
        name_images(comparison->reasons->pdata[i]);
    return comparison->problem == NULL;
}

GPtrArray *reasons_compare(JsonNode *before, JsonNode *after, GError **error) {
    g_autoptr(GPtrArray) reasons = g_ptr_array_new_with_free_func((GDestroyNotify) reason_free);
    g_autoptr(GHashTable) index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Comparison comparison = {.reasons = reasons, .index = index};
    JsonObject *old = check_version(before, "earlier", error),
               *new = old ? check_version(after, "present", error) : NULL;

    if (!new)
        return NULL;
    if (compare_all(&comparison, old, new))
        return g_steal_pointer(&reasons);
    g_propagate_prefixed_error(error, comparison.problem, "Cannot compare the inputs: ");
    return NULL;
}
