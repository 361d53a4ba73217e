/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Submodules. `git submodule` would do what .gitmodules says; here it names places alone, and each is judged as the place of
 * the recipe itself. Their files go into one tree by way of an index, which refuses names that lead elsewhere. */
#include <gio/gio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "kitchen/fetch/fetch.h"

#define REPOSITORY "-C", "/fetched/repository"
#define MODULES_MAX 64
#define DEPTH_MAX 4

typedef struct {
    const Fetch *fetch;
    FetchSize *size;
    guint count;
} Gathering;

/* A commit whose files are at PREFIX ("" or "a/b/"), and where it came from. */
typedef struct {
    const GitUrl *from;
    const char *commit, *prefix;
    guint depth;
} Place;

static gboolean refuse(GError **error, const Place *place, const FetchModule *module, const char *why) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "The submodule %s%s %s", place->prefix, module->path, why);
    return FALSE;
}

static const GitRun alone = {.from = NULL};

/* "submodule.NAME.path" and "submodule.NAME.url" of .gitmodules, by name. */
static gboolean read_modules(const Gathering *gathering, const Place *place, GHashTable *values, GError **error) {
    g_autofree char *blob = g_strconcat("--blob=", place->commit, ":.gitmodules", NULL);
    const char *const words[] = {REPOSITORY, "config", "--no-includes", blob, "-z", "--list", NULL};
    gsize length = 0;
    g_autofree char *said = fetch_git_output(gathering->fetch, &alone, words, &length, error);

    for (const char *entry = said; said && entry < said + length; entry += strlen(entry) + 1) {
        const char *end = strchr(entry, '\n');
        if (end)
            g_hash_table_replace(values, g_strndup(entry, (gsize) (end - entry)), g_strdup(end + 1));
    }
    if (!said)
        g_prefix_error(error, "Of the submodules: ");
    return said != NULL;
}

/* What .gitmodules calls the place of the submodule at PATH; borrowed. */
static const char *find_url(GHashTable *values, const char *path) {
    GHashTableIter at;
    gpointer key = NULL, value = NULL;

    g_hash_table_iter_init(&at, values);
    while (g_hash_table_iter_next(&at, &key, &value)) {
        gsize size = strlen(key);
        if (!g_str_has_prefix(key, "submodule.") || !g_str_has_suffix(key, ".path") || strcmp(value, path) != 0)
            continue;
        g_autofree char *name = g_strdup_printf("%.*s.url", (int) (size - strlen(".path")), (const char *) key);
        return g_hash_table_lookup(values, name);
    }
    return NULL;
}

/* Takes the entry PATH out of the index: it stands for a commit that the tree will have the files of. */
static gboolean remove_entry(const Fetch *fetch, const FetchModule *module, const char *path, GError **error) {
    static const char *const words[] = {REPOSITORY, "update-index", "-z", "--index-info", NULL};
    AUTO_FD in = memfd_create("index", MFD_CLOEXEC);
    const GitRun how = {.in = in};
    g_autofree char *nothing = g_strnfill(strlen(module->commit), '0');
    g_autofree char *entry = g_strdup_printf("0 %s\t%s", nothing, path);

    if (in < 0 || !pwrite_all(in, entry, strlen(entry) + 1, 0, NULL))
        return set_errno_error(error, errno, "Cannot make a file");
    return fetch_git(fetch, &how, words, error);
}

static gboolean add_modules(Gathering *gathering, const Place *place, GPtrArray *modules, GError **error);

static gboolean add_files(
        Gathering *gathering, const Place *place, const FetchModule *module, const GitUrl *from, GError **error) {
    g_autofree char *path = g_strconcat(place->prefix, module->path, NULL);
    g_autofree char *prefix = g_strconcat(path, "/", NULL);
    g_autofree char *option = g_strconcat("--prefix=", prefix, NULL);
    const char *const read[] = {REPOSITORY, "read-tree", option, module->commit, NULL};
    const GitRun merging = {.merges = TRUE};
    const Place inner = {.from = from, .commit = module->commit, .prefix = prefix, .depth = place->depth + 1};
    g_autoptr(GPtrArray) modules = NULL;

    if (!fetch_commit(gathering->fetch, from, module->commit, error))
        return FALSE;
    modules = fetch_check_tree(gathering->fetch, module->commit, gathering->size, error);
    return modules && remove_entry(gathering->fetch, module, path, error) &&
           fetch_git(gathering->fetch, &merging, read, error) && add_modules(gathering, &inner, modules, error);
}

static gboolean add_module(
        Gathering *gathering, const Place *place, const FetchModule *module, const char *text, GError **error) {
    g_auto(GitUrl) from = {.url = NULL};
    g_autofree char *url = NULL;

    if (!text)
        return refuse(error, place, module, "is not named in .gitmodules");
    if (++gathering->count > MODULES_MAX || place->depth >= DEPTH_MAX)
        return refuse(error, place, module, "is one too many: there may be 64, and 4 inside of each other");
    url = git_url_resolve(place->from, text, error);
    if (url && git_url_check(url, &gathering->fetch->rules, &from, error) &&
            add_files(gathering, place, module, &from, error))
        return TRUE;
    if (place->depth == 0)
        g_prefix_error(error, "The submodule %s: ", module->path);
    return FALSE;
}

static gboolean add_modules(Gathering *gathering, const Place *place, GPtrArray *modules, GError **error) {
    g_autoptr(GHashTable) values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    if (modules->len == 0)
        return TRUE;
    if (!read_modules(gathering, place, values, error))
        return FALSE;
    for (guint i = 0; i < modules->len; i++) {
        const FetchModule *module = modules->pdata[i];
        if (!add_module(gathering, place, module, find_url(values, module->path), error))
            return FALSE;
    }
    return TRUE;
}

/* The commit of the index, with the date of COMMIT: archives hold it. */
static char *commit_index(const Fetch *fetch, const char *commit, GError **error) {
    const char *const write[] = {REPOSITORY, "write-tree", NULL};
    const char *const ask[] = {REPOSITORY, "log", "-1", "--no-show-signature", "--format=%ct +0000", commit, NULL};
    g_autofree char *tree = fetch_git_output(fetch, &alone, write, NULL, error);
    g_autofree char *date = tree ? fetch_git_output(fetch, &alone, ask, NULL, error) : NULL;
    const char *const make[] = {
            REPOSITORY, "commit-tree", "-m", "With submodules", tree ? g_strchomp(tree) : NULL, NULL};
    const GitRun dated = {.date = date ? g_strchomp(date) : NULL};
    char *made = date ? fetch_git_output(fetch, &dated, make, NULL, error) : NULL;

    return made ? g_strchomp(made) : NULL;
}

char *fetch_with_modules(const Fetch *fetch, const GitUrl *from, const char *commit, GPtrArray *modules,
        FetchSize *size, GError **error) {
    const char *const read[] = {REPOSITORY, "read-tree", commit, NULL};
    const Place top = {.from = from, .commit = commit, .prefix = ""};
    Gathering gathering = {.fetch = fetch, .size = size};

    if (!fetch_git(fetch, &alone, read, error) || !add_modules(&gathering, &top, modules, error))
        return NULL;
    return commit_index(fetch, commit, error);
}
