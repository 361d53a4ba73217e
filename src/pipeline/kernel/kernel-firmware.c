/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/kernel/kernel-firmware.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compare.h"
#include "pipeline/kernel/kernel-filter.h"
#include "pipeline/kernel/kernel-tree.h"

#define DIRECTORY "usr/lib/firmware"
#define MAX_LINKS 40

struct KernelFirmware {
    int root_fd;
    GPtrArray *available; /* of char *: files and links below DIRECTORY, sorted */
    GHashTable *wanted;   /* set of char *, relative to DIRECTORY */
    gboolean is_empty;
};

static void take_path(const char *path, gpointer user_data) {
    KernelFirmware *firmware = user_data;
    g_ptr_array_add(firmware->available, g_strdup(path));
    /* No module names these, and they alone are no reason to read all modules. */
    if (!g_str_has_prefix(path, "amd-ucode/") && !g_str_has_prefix(path, "intel-ucode/"))
        firmware->is_empty = FALSE;
}

KernelFirmware *kernel_firmware_new(int root_fd, GError **error) {
    g_autoptr(KernelFirmware) firmware = g_new0(KernelFirmware, 1);
    firmware->root_fd = root_fd;
    firmware->is_empty = TRUE;
    firmware->available = g_ptr_array_new_with_free_func(g_free);
    firmware->wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!kernel_tree_walk(root_fd, DIRECTORY, take_path, firmware, error))
        return NULL;
    g_ptr_array_sort(firmware->available, compare_strings);
    return g_steal_pointer(&firmware);
}

void kernel_firmware_free(KernelFirmware *firmware) {
    if (!firmware)
        return;
    g_ptr_array_unref(firmware->available);
    g_hash_table_unref(firmware->wanted);
    g_free(firmware);
}

gboolean kernel_firmware_is_empty(const KernelFirmware *firmware) {
    return firmware->is_empty;
}

/* ---- links ---- */

/* Where the link PATH (relative to the root, not through other links) points; NULL: not a link. */
static char *read_link(int root_fd, const char *path) {
    char target[PATH_MAX];
    gssize n = readlinkat(root_fd, path, target, sizeof target);
    return n >= 0 && n < (gssize) sizeof target ? g_strndup(target, n) : NULL;
}

/* Puts the components of PATH in front of those in TODO (a list of char *). */
static GSList *push_components(GSList *todo, const char *path) {
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    for (guint i = g_strv_length(parts); i > 0; i--)
        if (*parts[i - 1])
            todo = g_slist_prepend(todo, g_strdup(parts[i - 1]));
    return todo;
}

static char *step_into(const char *current, const char *part) {
    if (g_str_equal(part, "."))
        return g_strdup(current);
    if (!g_str_equal(part, ".."))
        return *current ? g_build_filename(current, part, NULL) : g_strdup(part);
    const char *slash = strrchr(current, '/');
    return slash ? g_strndup(current, slash - current) : g_strdup("");
}

/* Follows PATH inside the root as after chroot. LINKS (may be NULL) receives every link on the way. The
 * final path, without links, or NULL when there is nothing. */
static char *chase(int root_fd, const char *path, GHashTable *links) {
    GSList *todo = push_components(NULL, path);
    g_autofree char *current = g_strdup("");
    guint n_links = 0;
    while (todo && n_links <= MAX_LINKS) {
        g_autofree char *part = todo->data;
        todo = g_slist_delete_link(todo, todo);
        g_autofree char *next = step_into(current, part);
        g_autofree char *target = read_link(root_fd, next);
        if (target) {
            n_links++;
            if (links)
                g_hash_table_add(links, g_strdup(next));
            todo = push_components(todo, target);
            if (*target == '/')
                *current = '\0';
            continue;
        }
        g_free(current);
        current = g_steal_pointer(&next);
    }
    g_slist_free_full(todo, g_free);
    struct stat st;
    if (n_links > MAX_LINKS || fstatat(root_fd, *current ? current : ".", &st, AT_SYMLINK_NOFOLLOW) < 0)
        return NULL;
    return g_steal_pointer(&current);
}

static gboolean exists(const KernelFirmware *firmware, const char *name) {
    g_autofree char *path = g_build_filename(DIRECTORY, name, NULL);
    g_autofree char *found = chase(firmware->root_fd, path, NULL);
    return found != NULL;
}

/* ---- what is wanted ---- */

static void want(KernelFirmware *firmware, const char *name) {
    g_hash_table_add(firmware->wanted, g_strdup(name));
}

static void add_glob(KernelFirmware *firmware, const char *pattern) {
    for (guint i = 0; i < firmware->available->len; i++)
        if (fnmatch(pattern, firmware->available->pdata[i], FNM_PATHNAME | FNM_NOESCAPE) == 0)
            want(firmware, firmware->available->pdata[i]);
}

/* Index of the first available path that is not before PREFIX. */
static guint lower_bound(const KernelFirmware *firmware, const char *prefix) {
    guint low = 0, high = firmware->available->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (strcmp(firmware->available->pdata[middle], prefix) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* NAME followed by a dot and anything: compressed files, and what vendors put beside them. */
static void add_suffixed(KernelFirmware *firmware, const char *name) {
    g_autofree char *prefix = g_strconcat(name, ".", NULL);
    for (guint i = lower_bound(firmware, prefix); i < firmware->available->len; i++) {
        const char *path = firmware->available->pdata[i];
        if (!g_str_has_prefix(path, prefix))
            break;
        if (!strchr(path + strlen(prefix), '/'))
            want(firmware, path);
    }
}

void kernel_firmware_add(KernelFirmware *firmware, const char *name) {
    if (kernel_firmware_is_empty(firmware))
        return;
    if (strpbrk(name, "*?[")) {
        g_autofree char *suffixed = g_strconcat(name, ".*", NULL);
        add_glob(firmware, name);
        if (!g_str_has_suffix(name, "*"))
            add_glob(firmware, suffixed);
        return;
    }
    add_suffixed(firmware, name);
    /* Also through directories that are links, which the list does not enter. */
    static const char *const suffixes[] = {"", ".xz", ".zst", ".gz"};
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *suffixed = g_strconcat(name, suffixes[i], NULL);
        if (exists(firmware, suffixed))
            want(firmware, suffixed);
    }
}

static void drop_excluded(KernelFirmware *firmware, const KernelFilter *keep, const KernelFilter *drop) {
    GHashTableIter iterator;
    gpointer name;
    g_hash_table_iter_init(&iterator, firmware->wanted);
    while (g_hash_table_iter_next(&iterator, &name, NULL))
        if (kernel_filter_match_regex(drop, name) ||
                kernel_filter_match_globs(keep, name) == KERNEL_FILTER_DROP)
            g_hash_table_iter_remove(&iterator);
}

gboolean kernel_firmware_filter(
        KernelFirmware *firmware, const char *const *include, const char *const *exclude, GError **error) {
    g_autoptr(KernelFilter) keep = kernel_filter_new(KERNEL_FILTER_FIRMWARE, include, NULL, error);
    g_autoptr(KernelFilter) drop =
            keep ? kernel_filter_new(KERNEL_FILTER_FIRMWARE, exclude, NULL, error) : NULL;
    if (!drop)
        return FALSE;
    drop_excluded(firmware, keep, drop);
    if (kernel_filter_is_empty(keep))
        return TRUE;
    for (guint i = 0; i < firmware->available->len; i++) {
        const char *name = firmware->available->pdata[i];
        if (kernel_filter_match_regex(keep, name) ||
                kernel_filter_match_globs(keep, name) == KERNEL_FILTER_KEEP)
            want(firmware, name);
    }
    return TRUE;
}

GPtrArray *kernel_firmware_get_paths(const KernelFirmware *firmware) {
    g_autoptr(GHashTable) paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iterator;
    gpointer name;
    g_hash_table_iter_init(&iterator, firmware->wanted);
    while (g_hash_table_iter_next(&iterator, &name, NULL)) {
        g_autofree char *path = g_build_filename(DIRECTORY, name, NULL);
        char *found = chase(firmware->root_fd, path, paths);
        if (found)
            g_hash_table_add(paths, found);
    }
    GPtrArray *sorted = g_ptr_array_new_with_free_func(g_free);
    g_hash_table_iter_init(&iterator, paths);
    while (g_hash_table_iter_next(&iterator, &name, NULL)) {
        g_hash_table_iter_steal(&iterator);
        g_ptr_array_add(sorted, name);
    }
    g_ptr_array_sort(sorted, compare_strings);
    return sorted;
}
