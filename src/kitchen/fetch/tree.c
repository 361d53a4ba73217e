/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commits: how they come here, and what may be in them. */
#include <gio/gio.h>
#include <string.h>

#include "kitchen/fetch/fetch.h"

#define REPOSITORY "-C", "/fetched/repository"

gboolean fetch_commit(const Fetch *fetch, const GitUrl *from, const char *commit, GError **error) {
    const GitRun how = {.from = from};
    const char *const words[] = {REPOSITORY, "fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules",
            "--no-auto-maintenance", "--", fetch_address(from), commit, NULL};

    return fetch_git(fetch, &how, words, error);
}

static void module_free(gpointer data) {
    FetchModule *module = data;

    g_free(module->path);
    g_free(module->commit);
    g_free(module);
}

/* One entry of `git ls-tree -r -l -z`: "MODE TYPE OBJECT SIZE\tNAME", and spaces before SIZE. */
static gboolean take_entry(const char *entry, GPtrArray *modules, FetchSize *size, GError **error) {
    const char *tab = strchr(entry, '\t');
    g_autofree char *about = g_strndup(entry, tab ? (gsize) (tab - entry) : 0);
    g_auto(GStrv) words = g_strsplit(about, " ", 4);

    if (g_strv_length(words) != 4) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "git lists a tree in a way that nobody knows");
        return FALSE;
    }
    if (strcmp(tab + 1, ".gitmodules") == 0 && !g_str_has_prefix(words[0], "100")) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, ".gitmodules is no regular file");
        return FALSE;
    }
    if (strcmp(words[0], "160000") == 0) {
        FetchModule *module = g_new0(FetchModule, 1);
        module->path = g_strdup(tab + 1);
        module->commit = g_strdup(words[2]);
        g_ptr_array_add(modules, module);
    }
    size->files++;
    size->bytes += g_ascii_strtoll(words[3], NULL, 10);
    return TRUE;
}

/* A tree that is too large is refused before it is unpacked. */
GPtrArray *fetch_check_tree(const Fetch *fetch, const char *commit, FetchSize *size, GError **error) {
    const GitRun how = {.from = NULL};
    const char *const words[] = {REPOSITORY, "ls-tree", "-r", "-l", "-z", commit, NULL};
    g_autoptr(GPtrArray) modules = g_ptr_array_new_with_free_func(module_free);
    gsize length = 0;
    g_autofree char *said = fetch_git_output(fetch, &how, words, &length, error);

    for (const char *entry = said; said && entry < said + length; entry += strlen(entry) + 1)
        if (!take_entry(entry, modules, size, error))
            return NULL;
    if (said && (size->files > FETCH_FILES_MAX || size->bytes > FETCH_BYTES_MAX)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                "The recipe has %u files and %" G_GINT64_FORMAT " bytes: too much", size->files, size->bytes);
        return NULL;
    }
    return said ? g_steal_pointer(&modules) : NULL;
}
