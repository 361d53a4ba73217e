/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/volumes/labels.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/errors.h"

#define ATTRIBUTE "security.selinux"

/* What of PATH is below DIRECTORY, "" for itself; NULL: nothing. */
static const char *below(const char *path, const char *directory) {
    gsize length = g_str_equal(directory, "/") ? 0 : strlen(directory);

    if (strncmp(path, directory, length) != 0 || (path[length] != '\0' && path[length] != '/'))
        return NULL;
    return path + length;
}

/* Where in the tree it comes from, or where it will be. Owned by the caller. */
static char *path_of_tree(const Content *content, const char *path) {
    const char *mount_point = partition_mount_point(content->definition->type.role);
    const char *rest = NULL, *origin = NULL;
    gsize longest = 0;

    for (guint i = 0; i < content->sources->len; i++) {
        const ContentSource *source = content->sources->pdata[i];
        const char *found = below(path, source->target);
        if (!found || (origin && strlen(source->target) < longest))
            continue;
        rest = found;
        origin = source->source;
        longest = strlen(source->target);
    }
    if (!origin) {
        rest = path;
        origin = mount_point ? mount_point : "/";
    }
    return g_canonicalize_filename(rest + (*rest == '/'), origin);
}

gboolean volume_label_of(const Volume *volume, const char *path, mode_t mode, GBytes **ret, GError **error) {
    g_autofree char *origin = path_of_tree(volume->content, path);
    return volume->label_of(origin, mode, ret, volume->label_data, error);
}

gboolean volume_label_set(
        const Volume *volume, int dir_fd, const char *name, const char *path, mode_t mode, GError **error) {
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d/%s", dir_fd, name);
    g_autoptr(GBytes) value = NULL;

    if (!volume_label_of(volume, path, mode, &value, error))
        return FALSE;
    if (!value || lsetxattr(link, ATTRIBUTE, g_bytes_get_data(value, NULL), g_bytes_get_size(value), 0) == 0)
        return TRUE;
    return set_errno_error(error, errno,
            "Cannot set the SELinux label of %s, which only root can for file systems other than erofs; use Format=erofs or "
            "SELinuxRelabel=no",
            path);
}
