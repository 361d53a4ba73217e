/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/kernel/kernel-modules-files.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "base/compare.h"
#include "base/errors.h"
#include "pipeline/kernel/kernel-filter.h"
#include "pipeline/kernel/kernel-tree.h"

typedef struct {
    const char *prefix; /* of paths that are visited, relative to the root */
    GHashTable *keep;   /* borrows */
    GPtrArray *remove;
} Pruning;

static void find_unwanted_module(const char *path, gpointer user_data) {
    Pruning *pruning = user_data;
    g_autofree char *full = g_build_filename(pruning->prefix, path, NULL);
    if (kernel_module_is_file(path) && !g_hash_table_contains(pruning->keep, full))
        g_ptr_array_add(pruning->remove, g_steal_pointer(&full));
}

static void find_unwanted_firmware(const char *path, gpointer user_data) {
    Pruning *pruning = user_data;
    /* The early microcode archive is made from these. */
    if (g_str_has_prefix(path, "amd-ucode/") || g_str_has_prefix(path, "intel-ucode/"))
        return;
    g_autofree char *full = g_build_filename(pruning->prefix, path, NULL);
    if (!g_hash_table_contains(pruning->keep, full))
        g_ptr_array_add(pruning->remove, g_steal_pointer(&full));
}

/* Removes PATH, then the directories above it up to STOP that are empty now. */
static gboolean remove_upwards(int root_fd, const char *path, const char *stop, GError **error) {
    if (unlinkat(root_fd, path, 0) < 0 && errno != ENOENT)
        return set_errno_error(error, errno, "removing %s", path);
    g_autofree char *parent = g_path_get_dirname(path);
    while (strlen(parent) > strlen(stop) && unlinkat(root_fd, parent, AT_REMOVEDIR) == 0) {
        char *above = g_path_get_dirname(parent);
        g_free(parent);
        parent = above;
    }
    return TRUE;
}

static gboolean prune_below(
        int root_fd, const char *prefix, GPtrArray *keep, KernelTreeVisit find, GError **error) {
    g_autoptr(GHashTable) kept = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) unwanted = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < keep->len; i++)
        g_hash_table_add(kept, keep->pdata[i]);
    Pruning pruning = {.prefix = prefix, .keep = kept, .remove = unwanted};
    if (!kernel_tree_walk(root_fd, prefix, find, &pruning, error))
        return FALSE;
    for (guint i = 0; i < unwanted->len; i++)
        if (!remove_upwards(root_fd, unwanted->pdata[i], prefix, error))
            return FALSE;
    return TRUE;
}

gboolean kernel_modules_prune(int root_fd, const char *version, const KernelModuleSet *set, GError **error) {
    g_autofree char *directory = g_build_filename("usr/lib/modules", version, NULL);
    return prune_below(root_fd, directory, set->modules, find_unwanted_module, error) &&
           prune_below(root_fd, "usr/lib/firmware", set->firmware, find_unwanted_firmware, error);
}

/* ---- what an initrd holds ---- */

static void add_with_parents(GHashTable *paths, const char *path) {
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
        g_hash_table_add(paths, g_strndup(path, slash - path));
    g_hash_table_add(paths, g_strdup(path));
}

/* The names in DIRECTORY that start with PREFIX. */
static gboolean add_names(
        GHashTable *paths, int root_fd, const char *directory, const char *prefix, GError **error) {
    g_autoptr(GPtrArray) names = kernel_tree_list(root_fd, directory, error);
    for (guint i = 0; names && i < names->len; i++) {
        g_autofree char *path = g_build_filename(directory, names->pdata[i], NULL);
        if (g_str_has_prefix(names->pdata[i], prefix))
            add_with_parents(paths, path);
    }
    return names != NULL;
}

GPtrArray *kernel_modules_paths(
        int root_fd, const char *version, const KernelModuleSet *set, GError **error) {
    g_autoptr(GHashTable) paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < set->modules->len; i++)
        add_with_parents(paths, set->modules->pdata[i]);
    for (guint i = 0; i < set->firmware->len; i++)
        add_with_parents(paths, set->firmware->pdata[i]);
    g_autofree char *directory = g_build_filename("usr/lib/modules", version, NULL);
    g_autofree char *vdso = g_build_filename(directory, "vdso", NULL);
    if (!add_names(paths, root_fd, directory, "modules", error) ||
            !add_names(paths, root_fd, vdso, "", error))
        return NULL;

    GPtrArray *sorted = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iterator;
    gpointer path;
    g_hash_table_iter_init(&iterator, paths);
    while (g_hash_table_iter_next(&iterator, &path, NULL)) {
        g_hash_table_iter_steal(&iterator);
        g_ptr_array_add(sorted, path);
    }
    g_ptr_array_sort(sorted, compare_strings);
    return sorted;
}
