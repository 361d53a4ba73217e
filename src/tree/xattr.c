/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tree/tree-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/compare.h"

/* A path to what FD (or, if it is -1, DIR_FD/NAME) is, for calls that know no descriptors. */
static char *link_path(int dir_fd, const char *name) {
    return g_strdup_printf("/proc/self/fd/%d/%s", dir_fd, name);
}

gboolean tree_set_xattr(int dir_fd, const char *name, int fd, const char *attribute, const void *value,
        gsize length, GError **error) {
    int r;
    if (fd >= 0) {
        r = fsetxattr(fd, attribute, value, length, 0);
    } else {
        g_autofree char *path = link_path(dir_fd, name);
        r = lsetxattr(path, attribute, value, length, 0);
    }
    if (r == 0)
        return TRUE;
    if ((errno == EPERM || errno == EOPNOTSUPP || errno == EINVAL) &&
            (g_str_equal(attribute, "security.selinux") || g_str_has_prefix(attribute, "trusted.")))
        return TRUE;
    return tree_set_error(error, "cannot set the extended attribute %s of %s", attribute, name);
}

static gboolean is_ours_to_see(const char *attribute) {
    return !g_str_has_prefix(attribute, "trusted.overlay.") &&
           !g_str_has_prefix(attribute, "user.overlay.") && !g_str_has_prefix(attribute, "btrfs.") &&
           !g_str_has_prefix(attribute, "system.nfs4_acl");
}

static gboolean no_xattrs(void) {
    return errno == EOPNOTSUPP || errno == ENOSYS;
}

static ssize_t get_value(const char *path, int fd, const char *attribute, void *buffer, gsize size) {
    return fd >= 0 ? fgetxattr(fd, attribute, buffer, size) : lgetxattr(path, attribute, buffer, size);
}

gboolean tree_each_xattr(
        int dir_fd, const char *name, int fd, TreeXattr callback, gpointer data, GError **error) {
    g_autofree char *path = fd < 0 ? link_path(dir_fd, name) : NULL;
    ssize_t size = fd >= 0 ? flistxattr(fd, NULL, 0) : llistxattr(path, NULL, 0);
    if (size == 0 || (size < 0 && no_xattrs()))
        return TRUE;
    g_autofree char *list = size > 0 ? g_malloc(size + 1) : NULL;
    if (size > 0)
        size = fd >= 0 ? flistxattr(fd, list, size) : llistxattr(path, list, size);
    if (size < 0)
        return tree_set_error(error, "cannot list the extended attributes of %s", name);
    list[size] = '\0';

    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (char *attribute = list; attribute < list + size; attribute += strlen(attribute) + 1)
        if (is_ours_to_see(attribute))
            g_ptr_array_add(names, attribute);
    g_ptr_array_sort(names, compare_strings);
    for (guint i = 0; i < names->len; i++) {
        ssize_t length = get_value(path, fd, names->pdata[i], NULL, 0);
        g_autofree char *value = g_malloc(MAX(length, 0) + 1);
        if (length >= 0)
            length = get_value(path, fd, names->pdata[i], value, length);
        if (length < 0)
            return tree_set_error(
                    error, "cannot read the extended attribute %s of %s", (char *) names->pdata[i], name);
        if (!callback(names->pdata[i], value, length, data, error))
            return FALSE;
    }
    return TRUE;
}
