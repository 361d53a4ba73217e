/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/dpkg-status.h"

#include <string.h>

#include "distro/driver/types.h"
#include "tree/tree.h"

#define STATUS_FILE "var/lib/dpkg/status"

static gboolean take_field(const char *line, const char *name, char **ret) {
    size_t length = strlen(name);

    if (strncmp(line, name, length) != 0 || line[length] != ':')
        return FALSE;
    g_free(*ret);
    *ret = g_strstrip(g_strdup(line + length + 1));
    return TRUE;
}

static void parse_paragraph(const char *text, GPtrArray *packages) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *status = NULL, *size = NULL;
    DistroInstalled *package = g_new0(DistroInstalled, 1);

    for (char **line = lines; *line; line++)
        (void) (take_field(*line, "Package", &package->name) ||
                take_field(*line, "Version", &package->version) ||
                take_field(*line, "Architecture", &package->architecture) ||
                take_field(*line, "Source", &package->source) || take_field(*line, "Status", &status) ||
                take_field(*line, "Installed-Size", &size));

    if (!package->name || !package->version || !package->architecture || !status ||
            !g_str_has_suffix(status, " installed")) {
        distro_installed_free(package);
        return;
    }
    if (!package->source)
        package->source = g_strdup(package->name);
    /* "name (version)" when source and binary versions differ */
    package->source[strcspn(package->source, " ")] = '\0';
    package->installed_size = size ? g_ascii_strtoull(size, NULL, 10) * 1024 : 0;
    g_ptr_array_add(packages, package);
}

static int compare_installed(gconstpointer a, gconstpointer b) {
    const DistroInstalled *x = *(DistroInstalled *const *) a, *y = *(DistroInstalled *const *) b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : strcmp(x->architecture, y->architecture);
}

GPtrArray *dpkg_status_parse(const char *text) {
    GPtrArray *packages = g_ptr_array_new_with_free_func((GDestroyNotify) distro_installed_free);
    g_auto(GStrv) paragraphs = g_strsplit(text, "\n\n", -1);

    for (char **paragraph = paragraphs; *paragraph; paragraph++)
        parse_paragraph(*paragraph, packages);
    g_ptr_array_sort(packages, compare_installed);
    return packages;
}

GPtrArray *dpkg_installed(int root_fd, GError **error) {
    if (!tree_exists(root_fd, STATUS_FILE))
        return g_ptr_array_new_with_free_func((GDestroyNotify) distro_installed_free);

    g_autofree char *text = tree_read_file(root_fd, STATUS_FILE, NULL, error);
    return text ? dpkg_status_parse(text) : NULL;
}
