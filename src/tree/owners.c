/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tree/tree-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

typedef struct {
    guint32 base;
    GHashTable *seen; /* device and inode of files with several names */
} Shift;

/* Attributes that a change of owner clears or that contain owners: name to GBytes. */
typedef struct {
    const Shift *shift;
    const char *path;
    GHashTable *attributes;
} Kept;

static gboolean shift_id(const Shift *shift, const char *path, guint32 id, guint32 *ret, GError **error) {
    if (id >= TREE_OWNER_RANGE) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "%s belongs to %u, but there are only %u user and group IDs", path, id, TREE_OWNER_RANGE);
        return FALSE;
    }
    *ret = shift->base + id;
    return TRUE;
}

/* The kernel's binary form of an access control list: entries of 8 bytes behind a version, those of users
 * and groups (tags 2 and 8) with their number in the last four, little endian. */
static gboolean shift_acl(const Shift *shift, const char *path, guint8 *acl, gsize length, GError **error) {
    for (gsize offset = 4; offset + 8 <= length; offset += 8) {
        guint8 *entry = acl + offset;
        guint32 id;

        if (entry[0] != 2 && entry[0] != 8)
            continue;
        memcpy(&id, entry + 4, sizeof id);
        if (!shift_id(shift, path, GUINT32_FROM_LE(id), &id, error))
            return FALSE;
        id = GUINT32_TO_LE(id);
        memcpy(entry + 4, &id, sizeof id);
    }
    return TRUE;
}

static gboolean keep_xattr(
        const char *attribute, const void *value, gsize length, gpointer data, GError **error) {
    Kept *kept = data;
    gboolean acl = g_str_has_prefix(attribute, "system.posix_acl_");

    if (!acl && !g_str_equal(attribute, "security.capability"))
        return TRUE;
    g_autofree guint8 *copy = g_memdup2(value, length);
    if (acl && !shift_acl(kept->shift, kept->path, copy, length, error))
        return FALSE;
    g_hash_table_insert(
            kept->attributes, g_strdup(attribute), g_bytes_new_take(g_steal_pointer(&copy), length));
    return TRUE;
}

static gboolean restore_xattrs(int dir_fd, const char *name, GHashTable *attributes, GError **error) {
    GHashTableIter iterator;
    gpointer attribute, value;

    g_hash_table_iter_init(&iterator, attributes);
    while (g_hash_table_iter_next(&iterator, &attribute, &value))
        if (!tree_set_xattr(dir_fd, name, -1, attribute, g_bytes_get_data(value, NULL),
                    g_bytes_get_size(value), error))
            return FALSE;
    return TRUE;
}

static gboolean shift_owner(
        Shift *shift, int dir_fd, const char *name, const struct stat *st, GError **error) {
    g_autoptr(GHashTable) attributes =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
    Kept kept = {shift, name, attributes};
    guint32 uid, gid;

    if (!shift_id(shift, name, st->st_uid, &uid, error) || !shift_id(shift, name, st->st_gid, &gid, error))
        return FALSE;
    if (!S_ISLNK(st->st_mode) && !tree_each_xattr(dir_fd, name, -1, keep_xattr, &kept, error))
        return FALSE;
    if (fchownat(dir_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
        return tree_set_error(error, "cannot set the owner of %s to %u:%u", name, uid, gid);
    if (!S_ISLNK(st->st_mode) && (st->st_mode & 07000) && fchmodat(dir_fd, name, st->st_mode & 07777, 0) < 0)
        return tree_set_error(error, "cannot set the mode of %s", name);
    return restore_xattrs(dir_fd, name, attributes, error);
}

static gboolean shift_entry(Shift *shift, int dir_fd, const char *name, GError **error);

static gboolean shift_entries(Shift *shift, int fd, GError **error) {
    int list_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (list_fd < 0)
        return tree_set_error(error, "cannot open a directory");
    g_autoptr(GPtrArray) names = tree_list(list_fd, error);
    for (guint i = 0; names && i < names->len; i++)
        if (!shift_entry(shift, fd, names->pdata[i], error))
            return FALSE;
    return names != NULL;
}

static gboolean shift_entry(Shift *shift, int dir_fd, const char *name, GError **error) {
    struct stat st;

    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return tree_set_error(error, "cannot read %s", name);
    if (S_ISDIR(st.st_mode)) {
        AUTO_FD fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return tree_set_error(error, "cannot open the directory %s", name);
        if (!shift_entries(shift, fd, error)) {
            g_prefix_error(error, "%s/", name);
            return FALSE;
        }
    } else if (st.st_nlink > 1) {
        g_autofree char *inode = g_strdup_printf(
                "%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64) st.st_dev, (guint64) st.st_ino);
        if (!g_hash_table_add(shift->seen, g_steal_pointer(&inode)))
            return TRUE;
    }
    return shift_owner(shift, dir_fd, name, &st, error);
}

gboolean tree_shift_owners(int dir_fd, const char *name, guint32 base, GError **error) {
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Shift shift = {base, seen};
    AUTO_FD fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return tree_set_error(error, "cannot open the directory %s", name);
    return shift_entry(&shift, fd, ".", error);
}
