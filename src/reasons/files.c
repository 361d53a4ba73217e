/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "`mkosi.extra/etc/motd` changed (a1b2c3d, Luca: Greet)" */
#include "reasons/comparison.h"

#include <string.h>

#include "reasons/words.h"

/* More files of one tree than these are only counted. */
#define MOST_FILES 10
#define SHORT_ID 7

/* What happened to the files of one source. */
typedef struct {
    Comparison *comparison;
    ReasonKind kind;
    const char *source;
    JsonObject *before, *after;
    guint told, left_out;
} Source;

/* What a path of a tree is called from the recipe. */
static char *full_path(const char *source, const char *path) {
    if (!*path)
        return words_clean(source);
    g_autofree char *joined = g_str_equal(source, ".") ? g_strdup(path) : g_strconcat(source, "/", path, NULL);
    return words_clean(joined);
}

/* " (a1b2c3d, Luca: Greet)", or nothing. */
static char *describe_commit(Comparison *comparison, JsonObject *fact) {
    JsonObject *commit = comparison_object(comparison, fact, "commit");
    JsonNode *uncommitted = fact ? json_object_get_member(fact, "uncommitted") : NULL;

    if (uncommitted)
        return g_strdup(" (not committed)");
    const char *id = comparison_string(comparison, commit, "id");
    const char *author = comparison_string(comparison, commit, "author");
    const char *subject = comparison_string(comparison, commit, "subject");
    if (!id || !author || !subject)
        return g_strdup("");
    g_autofree char *short_id = g_strndup(id, SHORT_ID), *clean_id = words_clean(short_id);
    g_autofree char *clean_author = words_clean(author), *clean_subject = words_clean(subject);
    return g_strdup_printf(" (%s, %s: %s)", clean_id, clean_author, clean_subject);
}

/* One property of a file, before and after. */
typedef struct {
    const char *before, *after;
} Pair;

static Pair pair_of(Source *source, JsonObject *before, JsonObject *after, const char *key) {
    return (Pair){
            comparison_string(source->comparison, before, key), comparison_string(source->comparison, after, key)};
}

static gboolean differs(Pair pair) {
    return g_strcmp0(pair.before, pair.after) != 0;
}

static char *arrow(Pair pair) {
    g_autofree char *before = words_clean(pair.before ? pair.before : "nothing");
    g_autofree char *after = words_clean(pair.after ? pair.after : "nothing");
    return g_strdup_printf("%s → %s", before, after);
}

/* What happened to a file that was there and is there: NULL for nothing. */
static char *describe_change(Source *source, JsonObject *before, JsonObject *after) {
    Pair type = pair_of(source, before, after, "type"), mode = pair_of(source, before, after, "mode");
    Pair content = pair_of(source, before, after, "content");
    g_autofree char *words = NULL;

    if (differs(type)) {
        words = arrow(type);
        return g_strconcat(": ", words, NULL);
    }
    if (differs(content) && g_strcmp0(type.after, "link") == 0) {
        words = arrow(content);
        return g_strconcat(": link ", words, NULL);
    }
    if (differs(mode)) {
        words = arrow(mode);
        return g_strconcat(differs(content) ? " changed, mode " : ": mode ", words, NULL);
    }
    if (differs(content))
        return g_strdup(" changed");
    return differs(pair_of(source, before, after, "attributes")) ? g_strdup(": extended attributes changed") : NULL;
}

static void tell(Source *source, const char *path, const char *what, JsonObject *before, JsonObject *after) {
    g_autofree char *name = full_path(source->source, path);
    g_autofree char *commit = describe_commit(source->comparison, after);

    if (source->told >= MOST_FILES) {
        source->left_out++;
        return;
    }
    source->told++;
    comparison_add(source->comparison, source->kind, g_strdup_printf("`%s`%s%s", name, what, commit), name,
            comparison_string(source->comparison, before, "content"),
            comparison_string(source->comparison, after, "content"));
}

/* A directory that comes with what is in it. NAMES are sorted, so that follows it, but for names with
 * characters that come before the slash. */
static gboolean has_more_below(JsonObject *facts, const GPtrArray *names, guint at) {
    const char *path = names->pdata[at];
    gsize length = strlen(path);

    for (guint i = at + 1; i < names->len && g_str_has_prefix(names->pdata[i], path); i++) {
        const char *name = names->pdata[i];
        if ((length == 0 || name[length] == '/') && json_object_has_member(facts, name))
            return TRUE;
    }
    return FALSE;
}

/* The sources that settings of FILES name, but for those that scripts see. */
static GHashTable *list_trees(Comparison *comparison, JsonObject *files) {
    GHashTable *trees = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) settings = comparison_members(files, NULL);

    for (guint i = 0; i < settings->len; i++) {
        JsonObject *sources = comparison_object(comparison, files, settings->pdata[i]);
        g_autoptr(GPtrArray) names = comparison_members(sources, NULL);
        for (guint j = 0; !g_str_equal(settings->pdata[i], "BuildSources") && j < names->len; j++)
            g_hash_table_add(trees, names->pdata[j]);
    }
    return trees;
}

/* Whether PATH is one of TREES or lies in one: what becomes a tree is told as such, and no source any more.
 */
static gboolean is_elsewhere(const Source *source, GHashTable *trees, const char *path) {
    g_autofree char *at = source->kind == REASON_SOURCE ? g_strdup(path) : NULL;

    while (at && !g_hash_table_contains(trees, at)) {
        char *slash = strrchr(at, '/');
        if (!slash)
            return FALSE;
        *slash = '\0';
    }
    return at != NULL;
}

static void compare_entry(Source *source, const GPtrArray *names, guint at) {
    Comparison *comparison = source->comparison;
    const char *path = names->pdata[at];
    g_autofree char *name = full_path(source->source, path);
    JsonObject *before = comparison_object(comparison, source->before, path);
    JsonObject *after = comparison_object(comparison, source->after, path);

    if (before && after) {
        g_autofree char *what = describe_change(source, before, after);
        if (what)
            tell(source, path, what, before, after);
    } else if (after && !has_more_below(source->after, names, at)) {
        if (!is_elsewhere(source, comparison->trees_before, name))
            tell(source, path, " was added", NULL, after);
    } else if (before && !has_more_below(source->before, names, at) &&
               !is_elsewhere(source, comparison->trees_after, name))
        tell(source, path, " was removed", before, NULL);
}

/* Times say something only where nothing else does: a directory has another one with each file in it. */
static void compare_times(Source *source, const GPtrArray *names) {
    for (guint i = 0; i < names->len; i++) {
        JsonObject *before = comparison_object(source->comparison, source->before, names->pdata[i]);
        JsonObject *after = comparison_object(source->comparison, source->after, names->pdata[i]);
        if (differs(pair_of(source, before, after, "time")))
            tell(source, names->pdata[i], ": time of modification changed", before, after);
    }
}

static void compare_source(
        Comparison *comparison, ReasonKind kind, const char *name, JsonObject *before, JsonObject *after) {
    Source source = {.comparison = comparison, .kind = kind, .source = name, .before = before, .after = after};
    g_autoptr(GPtrArray) names = comparison_members(before, after);

    for (guint i = 0; i < names->len; i++)
        compare_entry(&source, names, i);
    if (source.told == 0)
        compare_times(&source, names);
    if (source.left_out == 0)
        return;
    g_autofree char *clean = words_clean(name);
    comparison_add(comparison, kind, g_strdup_printf("%u more files of `%s` changed", source.left_out, clean), name,
            NULL, NULL);
}

/* "base `acme` 1 → 2" */
static void compare_base(Comparison *comparison, const char *name, JsonObject *before, JsonObject *after) {
    JsonObject *old = comparison_object(comparison, before, ""), *new = comparison_object(comparison, after, "");
    Pair content = {comparison_string(comparison, old, "content"), comparison_string(comparison, new, "content")};
    Pair version = {comparison_string(comparison, old, "version"), comparison_string(comparison, new, "version")};
    const char *called = comparison_string(comparison, new, "name");
    g_autofree char *clean = words_clean(called ? called : name);

    if (!differs(content))
        return;
    if (!version.before || !version.after || !differs(version)) {
        comparison_add(comparison, REASON_BASE, g_strdup_printf("base `%s` changed", clean), name, content.before,
                content.after);
        return;
    }
    g_autofree char *words = arrow(version);
    comparison_add(comparison, REASON_BASE, g_strdup_printf("base `%s` %s", clean, words), name, version.before,
            version.after);
}

static ReasonKind kind_of(const char *setting) {
    if (g_str_has_suffix(setting, "Scripts"))
        return REASON_SCRIPT;
    return g_str_equal(setting, "BuildSources") ? REASON_SOURCE : REASON_TREE;
}

static void compare_sources(Comparison *comparison, const char *setting, JsonObject *before, JsonObject *after) {
    g_autoptr(GPtrArray) names = comparison_members(before, after);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        JsonObject *old = comparison_object(comparison, before, name),
                   *new = comparison_object(comparison, after, name);
        /* That a source came or went is a setting. */
        if (!old || !new)
            continue;
        if (g_str_equal(setting, "BaseTrees"))
            compare_base(comparison, name, old, new);
        else
            compare_source(comparison, kind_of(setting), name, old, new);
    }
}

void compare_files(Comparison *comparison, JsonObject *before, JsonObject *after) {
    g_autoptr(GPtrArray) settings = comparison_members(before, after);
    g_autoptr(GHashTable) trees_before = list_trees(comparison, before);
    g_autoptr(GHashTable) trees_after = list_trees(comparison, after);

    comparison->trees_before = trees_before;
    comparison->trees_after = trees_after;
    for (guint i = 0; i < settings->len; i++) {
        const char *setting = settings->pdata[i];
        compare_sources(comparison, setting, comparison_object(comparison, before, setting),
                comparison_object(comparison, after, setting));
    }
}

/* The text of a file of settings alone is no reason: a comment changes nothing. It says who changed the
 * settings. */
void compare_recipe(Comparison *comparison, JsonObject *before, JsonObject *after) {
    Source source = {.comparison = comparison, .kind = REASON_RECIPE, .source = ".", .before = before, .after = after};
    g_autoptr(GPtrArray) names = comparison_members(before, after);

    for (guint i = 0; comparison->settings_differ && i < names->len; i++) {
        JsonObject *old = comparison_object(comparison, before, names->pdata[i]);
        JsonObject *new = comparison_object(comparison, after, names->pdata[i]);
        if (!old || !new)
            compare_entry(&source, names, i);
        else if (differs(pair_of(&source, old, new, "content")))
            tell(&source, names->pdata[i], " changed", old, new);
    }
    if (source.left_out > 0)
        comparison_add(comparison, REASON_RECIPE,
                g_strdup_printf("%u more files of the recipe changed", source.left_out), "recipe", NULL, NULL);
}
