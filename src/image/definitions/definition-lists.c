/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Settings of a partition definition that collect files and directories. */

#include "image/definitions/definition-private.h"

#include <string.h>

static void add_pair(GPtrArray *array, char *source, char *target) {
    DefinitionPair *pair = g_new(DefinitionPair, 1);

    *pair = (DefinitionPair){source, target};
    g_ptr_array_add(array, pair);
}

/* The options of CopyFiles= or an error. */
static gboolean check_copy_options(const Place *place, const char *options, GError **error) {
    g_auto(GStrv) words = g_strsplit(options ? options : "", ",", -1);

    for (char **word = words; *word; word++)
        if (**word && !g_str_equal(*word, "fsverity=off"))
            return definition_fail(place, error, "unknown option \"%s\" (expected fsverity=off)", *word);
    return TRUE;
}

gboolean definition_set_copy_files(const Place *place, const char *value, void *field, GError **error) {
    GPtrArray *array = *(GPtrArray **) field;
    const char *at = value;
    char *words[3] = {};
    gboolean bad = FALSE;

    if (*value == '\0') {
        g_ptr_array_set_size(array, 0);
        return TRUE;
    }
    /* Quotes are part of the names here, unlike elsewhere. */
    for (gsize i = 0; i < G_N_ELEMENTS(words) && !bad && at; i++)
        words[i] = definition_next_word(&at, ":", WORD_UNESCAPE | WORD_KEEP_EMPTY, &bad);
    g_autofree char *first = words[0], *second = words[1], *options = words[2];
    if (bad)
        return definition_fail(place, error, "\"%s\" has a backslash sequence that means nothing", value);
    if (at)
        return definition_fail(
                place, error, "\"%s\" has more than three fields (SOURCE[:TARGET[:OPTIONS]])", value);
    if (!check_copy_options(place, options, error))
        return FALSE;
    g_autofree char *source = definition_expand_path(place, first, error);
    if (!source)
        return FALSE;
    g_autofree char *target = definition_expand_path(place, second ? second : first, error);
    if (!target)
        return FALSE;
    add_pair(array, g_steal_pointer(&source), g_steal_pointer(&target));
    return TRUE;
}

/* Reads WORD into ARRAY. */
typedef gboolean (*AddWord)(const Place *place, const char *word, GPtrArray *array, GError **error);

/* A list of words, each of which ADD takes; an empty one forgets what was there. */
static gboolean add_words(
        const Place *place, const char *value, GPtrArray *array, AddWord add, GError **error) {
    g_autoptr(GPtrArray) words = definition_split_words(place, value, error);

    if (!words)
        return FALSE;
    if (words->len == 0)
        g_ptr_array_set_size(array, 0);
    for (guint i = 0; i < words->len; i++)
        if (!add(place, words->pdata[i], array, error))
            return FALSE;
    return TRUE;
}

static gboolean add_exclude(const Place *place, const char *word, GPtrArray *array, GError **error) {
    g_autofree char *path = definition_expand_path(place, word, error);
    if (!path)
        return FALSE;
    DefinitionExclude *exclude = g_new0(DefinitionExclude, 1);
    exclude->contents_only = g_str_has_suffix(word, "/");
    exclude->path = g_str_equal(path, "/") ? g_strdup("") : g_steal_pointer(&path);
    g_ptr_array_add(array, exclude);
    return TRUE;
}

gboolean definition_set_excludes(const Place *place, const char *value, void *field, GError **error) {
    return add_words(place, value, *(GPtrArray **) field, add_exclude, error);
}

static gboolean add_directory(const Place *place, const char *word, GPtrArray *array, GError **error) {
    char *path = definition_expand_path(place, word, error);
    if (!path)
        return FALSE;
    g_ptr_array_add(array, path);
    return TRUE;
}

gboolean definition_set_directories(const Place *place, const char *value, void *field, GError **error) {
    return add_words(place, value, *(GPtrArray **) field, add_directory, error);
}

/* The two fields of WORD, separated by a colon; the second one is NULL where it is missing. */
static gboolean split_pair(
        const Place *place, const char *word, char **ret_first, char **ret_second, GError **error) {
    const char *at = word;
    gboolean bad = FALSE;

    *ret_first = definition_next_word(&at, ":", WORD_UNQUOTE | WORD_KEEP_EMPTY, &bad);
    *ret_second = at && !bad ? definition_next_word(&at, ":", WORD_UNQUOTE | WORD_KEEP_EMPTY, &bad) : NULL;
    return (!bad && !at) || definition_fail(place, error, "\"%s\" has more than two fields", word);
}

static gboolean add_symlink(const Place *place, const char *word, GPtrArray *array, GError **error) {
    g_autofree char *link = NULL, *target = NULL;
    if (!split_pair(place, word, &link, &target, error))
        return FALSE;
    if (!target || *target == '\0')
        return definition_fail(place, error, "\"%s\" is not of the form LINK:TARGET", word);
    g_autofree char *path = definition_expand_path(place, link, error);
    char *text = path ? definition_expand(place, target, error) : NULL;
    if (!text)
        return FALSE;
    add_pair(array, g_steal_pointer(&path), text);
    return TRUE;
}

/* LINK:TARGET pairs, where repart.d(5) calls the link's place "source" and its text "target". */
gboolean definition_set_symlinks(const Place *place, const char *value, void *field, GError **error) {
    return add_words(place, value, *(GPtrArray **) field, add_symlink, error);
}

static gboolean add_subvolume(const Place *place, const char *word, GPtrArray *array, GError **error) {
    g_autofree char *where = NULL, *flags = NULL;
    if (!split_pair(place, word, &where, &flags, error))
        return FALSE;
    g_autofree char *path = definition_expand_path(place, where, error);
    if (!path)
        return FALSE;
    if (flags && *flags && !g_str_equal(flags, "ro"))
        return definition_fail(place, error, "unknown subvolume flag \"%s\" (expected ro)", flags);
    add_pair(array, g_steal_pointer(&path), flags && *flags ? g_steal_pointer(&flags) : NULL);
    return TRUE;
}

gboolean definition_set_subvolumes(const Place *place, const char *value, void *field, GError **error) {
    return add_words(place, value, *(GPtrArray **) field, add_subvolume, error);
}

/* WHERE[:OPTIONS], each part in quotes if it contains a colon. */
gboolean definition_set_mount_point(const Place *place, const char *value, void *field, GError **error) {
    GPtrArray *array = *(GPtrArray **) field;
    const WordFlags flags = WORD_UNQUOTE | WORD_UNESCAPE | WORD_KEEP_EMPTY;
    const char *at = value;
    gboolean bad = FALSE;

    if (*value == '\0') {
        g_ptr_array_set_size(array, 0);
        return TRUE;
    }
    g_autofree char *where = definition_next_word(&at, ":", flags, &bad);
    g_autofree char *options = at ? definition_next_word(&at, ":", flags, &bad) : NULL;
    if (bad)
        return definition_fail(place, error,
                "\"%s\" has a quote that is not closed or a backslash sequence that means nothing", value);
    if (at)
        return definition_fail(place, error, "\"%s\" is not of the form WHERE[:OPTIONS]", value);
    g_autofree char *path = definition_expand_path(place, where, error);
    if (!path)
        return FALSE;
    add_pair(array, g_steal_pointer(&path), options && *options ? g_steal_pointer(&options) : NULL);
    return TRUE;
}
