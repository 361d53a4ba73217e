/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/transfer/transfer.h"

#include <string.h>
#include <sys/stat.h>

#include "base/compare.h"
#include "base/directory.h"
#include "text/unit-file.h"
#include "update/transfer/error.h"
#include "update/transfer/transfer-private.h"

#define LARGEST_FILE (1024u * 1024)
#define DEFAULT_FILE_INSTANCES 3
#define EVERY_INSTANCE G_MAXUINT

static void pattern_free_any(gpointer pattern) {
    pattern_free(pattern);
}

void transfer_free(Transfer *transfer) {
    if (!transfer)
        return;
    g_free(transfer->name);
    g_free(transfer->path);
    g_free(transfer->min_version);
    g_ptr_array_unref(transfer->protected);
    g_free(transfer->source_path);
    g_ptr_array_unref(transfer->source_patterns);
    g_free(transfer->target_path);
    g_ptr_array_unref(transfer->target_patterns);
    pattern_fields_clear(&transfer->fields);
    g_free(transfer->current_symlink);
    g_free(transfer);
}

static Transfer *transfer_new(const char *name, const char *path) {
    Transfer *transfer = g_new0(Transfer, 1);

    transfer->name = g_strdup(name);
    transfer->path = g_strdup(path);
    transfer->protected = g_ptr_array_new_with_free_func(g_free);
    transfer->verify = TRUE;
    transfer->source_patterns = g_ptr_array_new_with_free_func(pattern_free_any);
    transfer->target_patterns = g_ptr_array_new_with_free_func(pattern_free_any);
    pattern_fields_init(&transfer->fields);
    return transfer;
}

typedef struct {
    TransferPlace place;
    const char *section;
    gboolean ignored;
} Reading;

static gboolean fail_at(gpointer data, guint line, const char *message, GError **error) {
    Reading *reading = data;

    reading->place.line = line;
    reading->place.setting = NULL;
    return transfer_place_fail(&reading->place, error, "%s", message);
}

static gboolean begin_section(gpointer data, guint line, const char *text, GError **error) {
    static const char *const known[] = {"[Transfer]", "[Source]", "[Target]", NULL};
    Reading *reading = data;

    reading->section = NULL;
    reading->ignored = g_str_has_prefix(text, "[X-");
    for (guint i = 0; known[i]; i++)
        if (g_str_equal(text, known[i]))
            reading->section = known[i];
    return reading->section || reading->ignored ||
           fail_at(data, line, "there are no other sections than [Transfer], [Source] and [Target]", error);
}

static gboolean assign(gpointer data, guint line, const char *name, const char *value, GError **error) {
    Reading *reading = data;

    reading->place.line = line;
    return transfer_assign(&reading->place, reading->section, name, value, error);
}

static gboolean skips(gpointer data) {
    return ((Reading *) data)->ignored;
}

/* What has to be there, and what does not go together. */
static gboolean check(const Transfer *transfer, const TransferSeen *seen, GError **error) {
    const char *missing = !seen->source                                                  ? "Type= of [Source]"
                          : !seen->target                                                ? "Type= of [Target]"
                          : !transfer->source_path                                       ? "Path= of [Source]"
                          : transfer->source_patterns->len == 0                          ? "MatchPattern= of [Source]"
                          : transfer->target_patterns->len == 0                          ? "MatchPattern= of [Target]"
                          : transfer->target == TRANSFER_TARGET_PARTITION && !seen->type ? "MatchPartitionType="
                          : transfer->target == TRANSFER_TARGET_REGULAR_FILE && !transfer->target_path
                                  ? "Path= of [Target]"
                                  : NULL;
    gboolean url = transfer->source == TRANSFER_SOURCE_URL_FILE;

    if (missing)
        return update_fail(error, UPDATE_ERROR_CONFIGURATION, "%s: %s is missing", transfer->path, missing);
    if (url && !g_str_has_prefix(transfer->source_path, "https://") &&
            !g_str_has_prefix(transfer->source_path, "http://"))
        return update_fail(error, UPDATE_ERROR_CONFIGURATION, "%s: Path=: \"%s\" is no address of https or http",
                transfer->path, transfer->source_path);
    if ((!url && !g_path_is_absolute(transfer->source_path)) ||
            (transfer->target_path && !g_path_is_absolute(transfer->target_path)))
        return update_fail(error, UPDATE_ERROR_CONFIGURATION, "%s: Path= has to begin with \"/\"", transfer->path);
    if (transfer->target_relative == TRANSFER_RELATIVE_EXPLICIT)
        return update_fail(
                error, UPDATE_ERROR_CONFIGURATION, "%s: PathRelativeTo=explicit is for sources only", transfer->path);
    return TRUE;
}

Transfer *transfer_parse(
        const char *name, const TransferText *texts, guint n, const TransferSpecifiers *specifiers, GError **error) {
    static const UnitFileReader reader = {begin_section, assign, skips, fail_at};
    g_autoptr(Transfer) transfer = transfer_new(name, texts[0].path);
    TransferSeen seen = {FALSE, FALSE, FALSE};

    for (guint i = 0; i < n; i++) {
        Reading reading = {.place = {transfer, &seen, texts[i].path, 1, NULL, specifiers}};
        if (!unit_file_parse(texts[i].text, texts[i].size, &reader, &reading, error))
            return NULL;
    }
    if (!check(transfer, &seen, error))
        return NULL;
    if (transfer->instances_max == 0)
        transfer->instances_max =
                transfer->target == TRANSFER_TARGET_PARTITION ? EVERY_INSTANCE : DEFAULT_FILE_INSTANCES;
    return g_steal_pointer(&transfer);
}

/* ---- files ---- */

/* Adds the names in DIRECTORY that end with SUFFIX to FOUND (name -> path), unless they are there. */
static void collect(const char *directory, const char *suffix, GTree *found) {
    g_autoptr(GPtrArray) names = list_directory_if_any(directory);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(directory, name, NULL);
        if (g_str_has_suffix(name, suffix) && !g_tree_lookup(found, name) && !g_file_test(path, G_FILE_TEST_IS_DIR))
            g_tree_insert(found, g_strdup(name), g_strdup(path));
    }
}

/* The files called *SUFFIX in all DIRECTORIES, or in BELOW in each of them. */
static GTree *find_files(const char *const *directories, const char *below, const char *suffix) {
    GTree *found = g_tree_new_full(compare_tree_keys, NULL, g_free, g_free);

    for (guint i = 0; directories[i]; i++) {
        g_autofree char *path = g_build_filename(directories[i], below, NULL);
        collect(path, suffix, found);
    }
    return found;
}

/* A link to /dev/null, or an empty file. */
static gboolean is_masked(const char *path) {
    struct stat info;

    return stat(path, &info) == 0 && (S_ISCHR(info.st_mode) || (S_ISREG(info.st_mode) && info.st_size == 0));
}

typedef struct {
    GArray *texts; /* TransferText, with contents of their own */
    GError **error;
    gboolean failed;
} Loading;

static void text_clear(gpointer data) {
    TransferText *text = data;

    g_free((gpointer) text->path);
    g_free((gpointer) text->text);
}

static gboolean load_text(gpointer key, gpointer path, gpointer data) {
    Loading *loading = data;
    TransferText text = {NULL, NULL, 0};
    char *content = NULL;

    if (is_masked(path))
        return FALSE;
    if (!g_file_get_contents(path, &content, &text.size, loading->error))
        return loading->failed = TRUE;
    text.text = content;
    text.path = g_strdup(path);
    g_array_append_val(loading->texts, text);
    if (text.size > LARGEST_FILE)
        loading->failed = !update_fail(loading->error, UPDATE_ERROR_CONFIGURATION, "%s: too large", text.path);
    return loading->failed;
}

static Transfer *load_one(const char *file, const char *path, const char *const *directories,
        const TransferSpecifiers *specifiers, GError **error) {
    g_autofree char *below = g_strconcat(file, ".d", NULL);
    g_autofree char *name = g_strndup(file, strrchr(file, '.') - file);
    g_autoptr(GTree) drop_ins = find_files(directories, below, ".conf");
    g_autoptr(GArray) texts = g_array_new(FALSE, FALSE, sizeof(TransferText));
    Loading loading = {texts, error, FALSE};

    g_array_set_clear_func(texts, text_clear);
    load_text(NULL, (gpointer) path, &loading);
    if (!loading.failed)
        g_tree_foreach(drop_ins, load_text, &loading);
    return loading.failed
                   ? NULL
                   : transfer_parse(name, (const TransferText *) (void *) texts->data, texts->len, specifiers, error);
}

typedef struct {
    GPtrArray *transfers;
    const char *const *directories;
    const TransferSpecifiers *specifiers;
    GError **error;
    gboolean failed;
} All;

static gboolean load_each(gpointer file, gpointer path, gpointer data) {
    All *all = data;
    Transfer *transfer;

    if (is_masked(path))
        return FALSE;
    transfer = load_one(file, path, all->directories, all->specifiers, all->error);
    if (transfer)
        g_ptr_array_add(all->transfers, transfer);
    return all->failed = !transfer;
}

static void transfer_free_any(gpointer transfer) {
    transfer_free(transfer);
}

GPtrArray *transfer_load(const char *const *directories, const TransferSpecifiers *specifiers, GError **error) {
    g_autoptr(GPtrArray) transfers = g_ptr_array_new_with_free_func(transfer_free_any);
    g_autoptr(GTree) files = find_files(directories, NULL, ".transfer");
    All all = {transfers, directories, specifiers, error, FALSE};

    if (g_tree_nnodes(files) == 0) {
        g_tree_unref(files);
        files = find_files(directories, NULL, ".conf");
    }
    g_tree_foreach(files, load_each, &all);
    if (all.failed)
        return NULL;
    if (transfers->len == 0) {
        g_autofree char *where = g_strjoinv(", ", (char **) directories);
        update_fail(error, UPDATE_ERROR_CONFIGURATION, "There are no transfer files in %s", where);
        return NULL;
    }
    return g_steal_pointer(&transfers);
}
