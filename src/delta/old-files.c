/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delta/old-files.h"

#include <string.h>
#include <sys/stat.h>

struct OldFiles {
    GPtrArray *files;    /* OldFile */
    GHashTable *by_key;  /* key -> GPtrArray of OldFile: paths, and with a mark in front what is less exact */
};

/* Each run of digits in TEXT becomes one mark. */
static void append_without_numbers(GString *key, const char *text) {
    for (const char *at = text; *at; at++) {
        if (!g_ascii_isdigit(*at))
            g_string_append_c(key, *at);
        else if (at == text || !g_ascii_isdigit(at[-1]))
            g_string_append_c(key, '#');
    }
}

/* The keys of PATH, the most exact first. */
static GPtrArray *keys_of(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    const char *const texts[] = {path, path, name, name};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        GString *key = g_string_new(NULL);
        g_string_append_printf(key, "%u ", i);
        if (i % 2 == 0)
            g_string_append(key, texts[i]);
        else
            append_without_numbers(key, texts[i]);
        g_ptr_array_add(keys, g_string_free(key, FALSE));
    }
    return keys;
}

static void unref_array(gpointer array) {
    g_ptr_array_unref(array);
}

static void add(OldFiles *files, const char *path, const ErofsNode *node) {
    OldFile *file = g_new(OldFile, 1);
    g_autoptr(GPtrArray) keys = keys_of(path);

    *file = (OldFile){node->nid, node->size};
    g_ptr_array_add(files->files, file);
    for (guint i = 0; i < keys->len; i++) {
        GPtrArray *list = g_hash_table_lookup(files->by_key, keys->pdata[i]);
        if (!list) {
            list = g_ptr_array_new();
            g_hash_table_insert(files->by_key, g_strdup(keys->pdata[i]), list);
        }
        g_ptr_array_add(list, file);
    }
}

OldFiles *old_files_new(ErofsReader *reader, GError **error) {
    g_autoptr(OldFiles) files = g_new0(OldFiles, 1);
    g_autoptr(GError) failure = NULL;
    ErofsNode root, node;
    const char *path;

    files->files = g_ptr_array_new_with_free_func(g_free);
    files->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_array);
    if (!erofs_reader_lookup(reader, "", &root, error))
        return NULL;
    g_autoptr(ErofsWalk) walk = erofs_walk_new(reader, &root);
    while ((path = erofs_walk_next(walk, &node, &failure)))
        if (S_ISREG(node.mode) && node.size > 0)
            add(files, path, &node);
    if (!failure)
        return g_steal_pointer(&files);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

void old_files_free(OldFiles *files) {
    if (!files)
        return;
    g_hash_table_unref(files->by_key);
    g_ptr_array_unref(files->files);
    g_free(files);
}

static guint64 distance(guint64 a, guint64 b) {
    return a > b ? a - b : b - a;
}

const OldFile *old_files_find(const OldFiles *files, const char *path, guint64 size) {
    g_autoptr(GPtrArray) keys = keys_of(path);
    const OldFile *best = NULL;

    for (guint i = 0; !best && i < keys->len; i++) {
        const GPtrArray *list = g_hash_table_lookup(files->by_key, keys->pdata[i]);
        for (guint j = 0; list && j < list->len; j++) {
            const OldFile *file = list->pdata[j];
            if (!best || distance(file->size, size) < distance(best->size, size))
                best = file;
        }
    }
    return best;
}
