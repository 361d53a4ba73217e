/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tree/tree-private.h"

#include <errno.h>
#include <fcntl.h>

/* So many files are named, the others counted. */
#define NAMED_FILES 4

typedef struct {
    TreeKeepsXattr keeps;
    GString *files;      /* those that are named */
    guint n_files;       /* with something to lose */
    GString *attributes; /* of the current file */
} Search;

static gboolean note_xattr(const char *attribute, const void *value, gsize length, gpointer data, GError **error) {
    Search *search = data;

    if (!search->keeps(attribute))
        g_string_append_printf(search->attributes, "%s%s", search->attributes->len > 0 ? ", " : "", attribute);
    return TRUE;
}

static gboolean search_entry(Search *search, int dir_fd, const char *name, const char *path, GError **error) {
    g_string_truncate(search->attributes, 0);
    if (!tree_each_xattr(dir_fd, name, -1, note_xattr, search, error))
        return FALSE;
    if (search->attributes->len > 0 && search->n_files++ < NAMED_FILES)
        g_string_append_printf(search->files, "%s%s (%s)", search->files->len > 0 ? ", " : "",
                *path ? path : "/", search->attributes->str);
    return TRUE;
}

/* What is below DIR_FD, which is PATH in the tree ("" for its root). */
static gboolean search_directory(Search *search, int dir_fd, const char *path, GError **error) {
    int list_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (list_fd < 0)
        return tree_set_error(error, "cannot open the directory %s", path);
    g_autoptr(GPtrArray) names = tree_list(list_fd, error);

    for (guint i = 0; names && i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *below = g_strconcat(path, "/", name, NULL);
        if (!search_entry(search, dir_fd, name, below, error))
            return FALSE;
        AUTO_FD fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0 && !search_directory(search, fd, below, error))
            return FALSE;
        if (fd < 0 && errno != ENOTDIR && errno != ELOOP && errno != ENXIO)
            return tree_set_error(error, "cannot open %s", below);
    }
    return names != NULL;
}

gboolean tree_find_lost_xattrs(int tree_fd, TreeKeepsXattr keeps, char **ret_files, GError **error) {
    g_autoptr(GString) files = g_string_new(NULL), attributes = g_string_new(NULL);
    Search search = {keeps, files, 0, attributes};

    *ret_files = NULL;
    if (!search_entry(&search, tree_fd, ".", "", error) || !search_directory(&search, tree_fd, "", error))
        return FALSE;
    if (search.n_files > NAMED_FILES)
        g_string_append_printf(files, " and %u more", search.n_files - NAMED_FILES);
    if (search.n_files > 0)
        *ret_files = g_string_free(g_steal_pointer(&files), FALSE);
    return TRUE;
}
