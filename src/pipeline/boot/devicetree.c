/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/boot/devicetree.h"

#include <string.h>

#include "events/events.h"
#include "pipeline/kernel/kernel-filter.h"
#include "pipeline/kernel/kernel-tree.h"
#include "tree/tree.h"

typedef struct {
    const KernelFilter *filter;
    GPtrArray *names; /* relative to the directory that is walked */
} Search;

void devicetree_free(gpointer data) {
    Devicetree *devicetree = data;

    g_free(devicetree->name);
    g_clear_pointer(&devicetree->content, g_bytes_unref);
    g_free(devicetree);
}

static void visit(const char *path, gpointer data) {
    Search *search = data;

    if (g_str_has_suffix(path, ".dtb") &&
            kernel_filter_match_globs(search->filter, path) == KERNEL_FILTER_KEEP)
        g_ptr_array_add(search->names, g_strdup(path));
}

static gboolean read_directory(ImageBuild *image, const char *directory, const KernelFilter *filter,
        GPtrArray *found, GError **error) {
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    Search search = {.filter = filter, .names = names};

    if (!tree_exists(image->root_fd, directory))
        return TRUE;
    if (!kernel_tree_walk(image->root_fd, directory, visit, &search, error))
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(directory, names->pdata[i], NULL);
        gsize length = 0;
        char *content = tree_read_file(image->root_fd, path, &length, error);
        if (!content)
            return FALSE;
        Devicetree *devicetree = g_new0(Devicetree, 1);
        devicetree->name = g_strdup(names->pdata[i]);
        devicetree->content = g_bytes_new_take(content, length);
        g_ptr_array_add(found, devicetree);
    }
    return TRUE;
}

GPtrArray *devicetrees_read(ImageBuild *image, const char *version, GError **error) {
    const char *const *patterns = (const char *const *) image->config->devicetrees;
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(devicetree_free);
    /* In the order of their paths. */
    static const char *const directories[] = {
            "usr/lib/firmware/%/device-tree", "usr/lib/linux-image-%", "usr/lib/modules/%/dtb"};
    g_autoptr(KernelFilter) filter = NULL;

    if (!patterns[0])
        return g_steal_pointer(&found);
    if (!(filter = kernel_filter_new(KERNEL_FILTER_FIRMWARE, patterns, NULL, error)))
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(directories); i++) {
        g_auto(GStrv) parts = g_strsplit(directories[i], "%", 2);
        g_autofree char *directory = g_strjoinv(version, parts);
        if (!read_directory(image, directory, filter, found, error))
            return NULL;
    }
    if (found->len == 0)
        events_warning("%s: Devicetrees= matches no file of kernel %s", image->name, version);
    return g_steal_pointer(&found);
}
