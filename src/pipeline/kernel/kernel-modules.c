/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/kernel/kernel-modules.h"

#include <gio/gio.h>
#include <string.h>

#include "base/compare.h"
#include "pipeline/kernel/kernel-filter.h"
#include "pipeline/kernel/kernel-firmware.h"
#include "pipeline/kernel/kernel-tree.h"
#include "recipe/reading/load.h"

void kernel_module_set_free(KernelModuleSet *set) {
    if (!set)
        return;
    g_clear_pointer(&set->modules, g_ptr_array_unref);
    g_clear_pointer(&set->firmware, g_ptr_array_unref);
    g_clear_pointer(&set->missing, g_ptr_array_unref);
    g_free(set);
}

static GHashTable *string_set_new(void) {
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/* The members of a set, sorted; the set is empty afterwards. */
static GPtrArray *string_set_sort(GHashTable *set) {
    GPtrArray *strings = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iterator;
    gpointer key;
    g_hash_table_iter_init(&iterator, set);
    while (g_hash_table_iter_next(&iterator, &key, NULL)) {
        g_hash_table_iter_steal(&iterator);
        g_ptr_array_add(strings, key);
    }
    g_ptr_array_sort(strings, compare_strings);
    return strings;
}

/* ---- versions ---- */

static gboolean has_kernel(int root_fd, const char *version, GError **error) {
    g_autofree char *directory = g_build_filename("usr/lib/modules", version, NULL);
    g_autoptr(GPtrArray) names = kernel_tree_list(root_fd, directory, error);
    for (guint i = 0; names && i < names->len; i++)
        if (g_str_equal(names->pdata[i], "kernel") || g_str_equal(names->pdata[i], "modules.builtin") ||
                g_str_has_prefix(names->pdata[i], "vmlinuz"))
            return TRUE;
    return FALSE;
}

/* Numbers compare as numbers, everything else as text, a longer one is newer. */
static int compare_versions(gconstpointer a, gconstpointer b) {
    const char *x = *(char *const *) a, *y = *(char *const *) b;
    while (*x && *y) {
        if (g_ascii_isdigit(*x) && g_ascii_isdigit(*y)) {
            guint64 m = g_ascii_strtoull(x, (char **) &x, 10), n = g_ascii_strtoull(y, (char **) &y, 10);
            if (m != n)
                return m < n ? -1 : 1;
        } else if (*x != *y) {
            /* A release candidate comes before its release. */
            return *x == '~' ? -1 : *y == '~' ? 1 : (guchar) *x - (guchar) *y;
        } else {
            x++;
            y++;
        }
    }
    return *x ? (*x == '~' ? -1 : 1) : *y ? (*y == '~' ? 1 : -1) : 0;
}

char **kernel_versions(int root_fd, GError **error) {
    g_autoptr(GPtrArray) names = kernel_tree_list(root_fd, "usr/lib/modules", error);
    if (!names)
        return NULL;
    g_autoptr(GPtrArray) versions = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < names->len; i++) {
        g_autoptr(GError) local = NULL;
        if (has_kernel(root_fd, names->pdata[i], &local))
            g_ptr_array_add(versions, g_strdup(names->pdata[i]));
        else if (local && !g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOTDIR)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return NULL;
        }
    }
    g_ptr_array_sort(versions, compare_versions);
    g_ptr_array_add(versions, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&versions), FALSE);
}

/* ---- selection ---- */

/* The names of the modules that this machine has loaded; owned by the caller. */
static char **loaded_modules(GError **error) {
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/modules", &text, NULL, error)) {
        g_prefix_error(error, "finding the modules of this machine: ");
        return NULL;
    }
    char **lines = g_strsplit(g_strchomp(text), "\n", -1);
    for (char **line = lines; *line; line++)
        (*line)[strcspn(*line, " ")] = '\0';
    return lines;
}

static gboolean has_word(const KernelModuleFilter *filter, const char *word) {
    return filter->modules && g_strv_contains(filter->modules, word);
}

/* The list of modules to keep, with those of this machine first if they are wanted too. */
static KernelFilter *compile_modules(const KernelModuleFilter *filter, GError **error) {
    g_auto(GStrv) host = NULL;
    if ((filter->include_host || has_word(filter, "host")) && !(host = loaded_modules(error)))
        return NULL;
    g_auto(GStrv) defaults = NULL;
    if (has_word(filter, "default") && !(defaults = recipe_default_kernel_modules(error)))
        return NULL;
    KernelFilterWords words = {(const char *const *) defaults, (const char *const *) host};
    g_autoptr(GPtrArray) patterns = g_ptr_array_new();
    if (filter->include_host)
        g_ptr_array_add(patterns, "host");
    for (const char *const *pattern = filter->modules; pattern && *pattern; pattern++)
        g_ptr_array_add(patterns, (char *) *pattern);
    g_ptr_array_add(patterns, NULL);
    return kernel_filter_new(KERNEL_FILTER_MODULES, (const char *const *) patterns->pdata, &words, error);
}

/* Without lists everything is kept. With an exclude list, what it matches and the include list does not is
 * dropped. With only an include list, what it matches is kept. */
static gboolean is_selected(const KernelFilter *keep, const KernelFilter *drop, const KernelModule *module) {
    gboolean included = kernel_filter_match_regex(keep, module->path) ||
                        kernel_filter_match_globs(keep, module->path) == KERNEL_FILTER_KEEP;
    if (!kernel_filter_is_empty(drop))
        return included || !kernel_filter_match_regex(drop, module->path);
    return included || kernel_filter_is_empty(keep);
}

static GPtrArray *select_modules(const KernelTree *tree, const KernelModuleFilter *filter, GError **error) {
    g_autoptr(KernelFilter) keep = compile_modules(filter, error);
    g_autoptr(KernelFilter) drop =
            keep ? kernel_filter_new(KERNEL_FILTER_MODULES, filter->modules_exclude, NULL, error) : NULL;
    if (!drop)
        return NULL;
    GPtrArray *selected = g_ptr_array_new();
    for (guint i = 0; i < tree->modules->len; i++)
        if (is_selected(keep, drop, tree->modules->pdata[i]))
            g_ptr_array_add(selected, tree->modules->pdata[i]);
    return selected;
}

/* ---- dependencies ---- */

/* Puts the module called NAME, or those that provide it, into NEXT unless SEEN has them. FALSE when there is
 * none, not even in the kernel itself. */
static gboolean follow_name(const KernelTree *tree, const char *name, GHashTable *seen, GPtrArray *next) {
    KernelModule *needed = g_hash_table_lookup(tree->by_name, name);
    if (needed) {
        if (g_hash_table_add(seen, needed))
            g_ptr_array_add(next, needed);
        return TRUE;
    }
    GPtrArray *providers = g_hash_table_lookup(tree->aliases, name);
    for (guint i = 0; providers && i < providers->len; i++) {
        needed = g_hash_table_lookup(tree->by_name, providers->pdata[i]);
        if (needed && g_hash_table_add(seen, needed))
            g_ptr_array_add(next, needed);
    }
    return providers || g_hash_table_contains(tree->builtin_names, name);
}

/* Puts what MODULE needs and nobody had yet into NEXT. */
static void follow(const KernelTree *tree, const KernelModule *module, GHashTable *seen, GPtrArray *next,
        GHashTable *missing) {
    for (guint i = 0; module->needs && i < module->needs->len; i++)
        if (!follow_name(tree, module->needs->pdata[i], seen, next))
            g_hash_table_add(missing,
                    g_strdup_printf("%s: %s", module->name, (const char *) module->needs->pdata[i]));
}

/* Every module that SELECTED and the kernel itself need; a set of KernelModule. */
static GHashTable *resolve(
        KernelTree *tree, GPtrArray *selected, gboolean with_firmware, GHashTable *missing, GError **error) {
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    g_autoptr(GPtrArray) todo = g_ptr_array_new();
    for (guint i = 0; i < selected->len; i++)
        if (g_hash_table_add(seen, selected->pdata[i]))
            g_ptr_array_add(todo, selected->pdata[i]);
    /* Soft dependencies of the kernel on modules that are not there are normal. */
    g_autoptr(GHashTable) ignored = string_set_new();
    for (guint i = 0; i < tree->builtin->len; i++)
        follow(tree, tree->builtin->pdata[i], seen, todo, ignored);

    while (todo->len > 0) {
        if (!kernel_tree_inspect(tree, todo, with_firmware, error))
            return NULL;
        GPtrArray *next = g_ptr_array_new();
        for (guint i = 0; i < todo->len; i++)
            follow(tree, todo->pdata[i], seen, next, missing);
        g_ptr_array_unref(todo);
        todo = next;
    }
    return g_steal_pointer(&seen);
}

static GPtrArray *module_paths(const KernelTree *tree, GHashTable *modules) {
    g_autoptr(GHashTable) paths = string_set_new();
    GHashTableIter iterator;
    gpointer key;
    g_hash_table_iter_init(&iterator, modules);
    while (g_hash_table_iter_next(&iterator, &key, NULL)) {
        const KernelModule *module = key;
        g_hash_table_add(paths, g_build_filename("usr/lib/modules", tree->version, module->path, NULL));
    }
    return string_set_sort(paths);
}

/* What the modules, and the parts of the kernel that are built in, name as their firmware. */
static void add_named_firmware(KernelFirmware *firmware, const KernelTree *tree, GHashTable *modules) {
    GHashTableIter iterator;
    gpointer key;
    g_hash_table_iter_init(&iterator, modules);
    while (g_hash_table_iter_next(&iterator, &key, NULL)) {
        const KernelModule *module = key;
        for (guint i = 0; module->firmware && i < module->firmware->len; i++)
            kernel_firmware_add(firmware, module->firmware->pdata[i]);
    }
    for (guint i = 0; i < tree->builtin->len; i++) {
        const KernelModule *module = tree->builtin->pdata[i];
        for (guint n = 0; n < module->firmware->len; n++)
            kernel_firmware_add(firmware, module->firmware->pdata[n]);
    }
}

KernelModuleSet *kernel_modules_required(
        int root_fd, const char *version, const KernelModuleFilter *filter, GError **error) {
    static const KernelModuleFilter everything;
    if (!filter)
        filter = &everything;
    g_autoptr(KernelTree) tree = kernel_tree_new(root_fd, version, error);
    g_autoptr(KernelFirmware) firmware = tree ? kernel_firmware_new(root_fd, error) : NULL;
    g_autoptr(GPtrArray) selected = firmware ? select_modules(tree, filter, error) : NULL;
    if (!selected)
        return NULL;

    g_autoptr(GHashTable) missing = string_set_new();
    g_autoptr(GHashTable) modules =
            resolve(tree, selected, !kernel_firmware_is_empty(firmware), missing, error);
    if (!modules)
        return NULL;
    add_named_firmware(firmware, tree, modules);
    if (!kernel_firmware_filter(firmware, filter->firmware, filter->firmware_exclude, error))
        return NULL;

    KernelModuleSet *set = g_new0(KernelModuleSet, 1);
    set->n_available = tree->modules->len;
    set->modules = module_paths(tree, modules);
    set->firmware = kernel_firmware_get_paths(firmware);
    set->missing = string_set_sort(missing);
    return set;
}
