/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/pacman/installed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "distro/pacman/desc.h"
#include "tree/tree.h"

static const char *const places[] = {"var/lib/pacman/local", "usr/lib/pacman/local"};

static int open_root(const char *root, GError **error) {
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        set_errno_error(error, errno, "Cannot open %s", root);
    return fd;
}

/* Called for each package: PATH is that of its "desc" in the tree, TEXT what it holds. */
typedef gboolean (*Visit)(int root_fd, const char *path, const char *text, gpointer data, GError **error);

static gboolean visit_place(int root_fd, const char *place, Visit visit, gpointer data, GError **error) {
    int fd = tree_exists(root_fd, place) ? tree_open(root_fd, place, O_RDONLY | O_DIRECTORY, 0, error) : -1;
    g_autoptr(GPtrArray) names = fd >= 0 ? tree_list(fd, error) : NULL;

    if (!names)
        return !tree_exists(root_fd, place);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(place, names->pdata[i], "desc", NULL);
        g_autofree char *text = NULL;
        if (!tree_exists(root_fd, path))
            continue;
        if (!(text = tree_read_file(root_fd, path, NULL, error)) || !visit(root_fd, path, text, data, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean visit_packages(const char *root, Visit visit, gpointer data, GError **error) {
    AUTO_FD fd = open_root(root, error);

    if (fd < 0)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++)
        if (tree_exists(fd, places[i]))
            return visit_place(fd, places[i], visit, data, error);
    return TRUE;
}

static gboolean add_installed(int root_fd, const char *path, const char *text, gpointer packages, GError **error) {
    g_autoptr(PacmanDesc) desc = pacman_desc_parse(text, error);

    if (!desc) {
        g_prefix_error(error, "/%s: ", path);
        return FALSE;
    }
    DistroInstalled *package = g_new0(DistroInstalled, 1);
    package->name = g_steal_pointer(&desc->name);
    package->version = g_steal_pointer(&desc->version);
    package->architecture = g_steal_pointer(&desc->architecture);
    package->source = g_steal_pointer(&desc->base);
    package->installed_size = desc->installed_size;
    g_ptr_array_add(packages, package);
    return TRUE;
}

static int compare_installed(gconstpointer a, gconstpointer b) {
    return strcmp((*(DistroInstalled *const *) a)->name, (*(DistroInstalled *const *) b)->name);
}

GPtrArray *pacman_installed(DistroSession *session, const char *root, GError **error) {
    g_autoptr(GPtrArray) packages = g_ptr_array_new_with_free_func((GDestroyNotify) distro_installed_free);

    if (!visit_packages(root, add_installed, packages, error)) {
        g_prefix_error(error, "Cannot read which packages are installed: ");
        return NULL;
    }
    g_ptr_array_sort(packages, compare_installed);
    return g_steal_pointer(&packages);
}

/* Where FD leads to, which is below the tree whatever links there are in it. */
static char *path_of(int fd, GError **error) {
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
    return g_file_read_link(link, error);
}

char *pacman_find_database(const char *root, GError **error) {
    AUTO_FD root_fd = open_root(root, error);
    const char *found = NULL;

    if (root_fd < 0)
        return NULL;
    for (gsize i = 0; !found && i < G_N_ELEMENTS(places); i++)
        if (tree_exists(root_fd, places[i]))
            found = places[i];
    if (!found && !tree_mkdir_p(root_fd, found = places[0], 0755, error))
        return NULL;
    AUTO_FD fd = tree_open(root_fd, found, O_RDONLY | O_DIRECTORY, 0, error);
    return fd >= 0 ? path_of(fd, error) : NULL;
}

static gboolean set_date(int root_fd, const char *path, const char *text, gpointer epoch, GError **error) {
    g_autofree char *changed = pacman_desc_set_install_date(text, *(const gint64 *) epoch);

    return g_str_equal(text, changed) || tree_write_file(root_fd, path, changed, -1, 0644, error);
}

gboolean pacman_set_install_dates(const char *root, gint64 epoch, GError **error) {
    return epoch < 0 || visit_packages(root, set_date, &epoch, error);
}
