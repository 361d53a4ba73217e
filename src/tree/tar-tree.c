/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tree/tar-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/little-endian.h"
#include "format/archive/tar.h"
#include "tree/tree-private.h"

#define READ_SIZE (256u << 10)

typedef struct {
    dev_t device;
    ino_t inode;
} InodeKey;

typedef struct {
    TarWriter *tar;
    gint64 clamp_time;
    GHashTable *linked; /* InodeKey to the name in the archive */
    char *buffer;       /* READ_SIZE bytes */
} Walk;

/* Relative to the root; what is in them is no part of the system. */
static const char *const volatile_directories[] = {"dev", "proc", "sys", "run", "tmp", "var/tmp"};

static gboolean is_volatile(const char *path) {
    for (size_t i = 0; i < G_N_ELEMENTS(volatile_directories); i++)
        if (g_str_equal(path, volatile_directories[i]))
            return TRUE;
    return FALSE;
}

/* ---- attributes ---- */

/* From the kernel's binary form (a version, then tag, permissions and number of each entry, all little
 * endian, linux/posix_acl_xattr.h) to text (acl(5)). NULL: not such a value. */
static char *acl_text(const guint8 *value, gsize length) {
    static const struct {
        guint16 tag;
        const char *name;
        gboolean has_id;
    } tags[] = {{0x01, "user", FALSE}, {0x02, "user", TRUE}, {0x04, "group", FALSE}, {0x08, "group", TRUE},
            {0x10, "mask", FALSE}, {0x20, "other", FALSE}};
    g_autoptr(GString) text = g_string_new(NULL);

    for (gsize offset = 4; offset + 8 <= length; offset += 8) {
        const guint8 *entry = value + offset;
        guint32 id = read_le32(entry + 4);
        size_t i = 0;

        while (i < G_N_ELEMENTS(tags) && tags[i].tag != read_le16(entry))
            i++;
        if (i == G_N_ELEMENTS(tags))
            return NULL;
        g_string_append_printf(text, "%s%s:", text->len > 0 ? "," : "", tags[i].name);
        if (tags[i].has_id)
            g_string_append_printf(text, "%u", id);
        g_string_append_printf(text, ":%c%c%c", entry[2] & 4 ? 'r' : '-', entry[2] & 2 ? 'w' : '-',
                entry[2] & 1 ? 'x' : '-');
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean add_acl(TarWriter *tar, const char *key, const void *value, gsize length, GError **error) {
    g_autofree char *text = acl_text(value, length);

    if (!text) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "its access control list cannot be read");
        return FALSE;
    }
    tar_writer_add_record(tar, key, text, strlen(text));
    return TRUE;
}

static gboolean add_xattr(
        const char *attribute, const void *value, gsize length, gpointer data, GError **error) {
    Walk *walk = data;

    if (g_str_equal(attribute, "system.posix_acl_access"))
        return add_acl(walk->tar, "SCHILY.acl.access", value, length, error);
    if (g_str_equal(attribute, "system.posix_acl_default"))
        return add_acl(walk->tar, "SCHILY.acl.default", value, length, error);
    tar_writer_add_xattr(walk->tar, attribute, value, length);
    return TRUE;
}

/* ---- content ---- */

static gboolean write_data(
        Walk *walk, int dir_fd, const char *name, const char *path, gint64 size, GError **error) {
    AUTO_FD fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return tree_set_error(error, "cannot open %s", path);
    while (size > 0) {
        ssize_t n = read(fd, walk->buffer, MIN(size, READ_SIZE));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return tree_set_error(error, "cannot read %s", path);
        if (n == 0) {
            g_set_error(
                    error, G_FILE_ERROR, G_FILE_ERROR_IO, "%s became shorter while it was archived", path);
            return FALSE;
        }
        if (!tar_writer_data(walk->tar, walk->buffer, n, error))
            return FALSE;
        size -= n;
    }
    return TRUE;
}

static guint inode_hash(gconstpointer key) {
    const InodeKey *inode = key;
    return (guint) inode->inode ^ (guint) (inode->inode >> 32) ^ (guint) inode->device;
}

static gboolean inode_equal(gconstpointer a, gconstpointer b) {
    const InodeKey *first = a, *second = b;
    return first->inode == second->inode && first->device == second->device;
}

/* The name that the archive has the file under already, or NULL. */
static const char *find_link(Walk *walk, const char *name, const struct stat *st) {
    InodeKey key = {st->st_dev, st->st_ino};
    const char *first;

    if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
        return NULL;
    first = g_hash_table_lookup(walk->linked, &key);
    if (!first)
        g_hash_table_insert(walk->linked, g_memdup2(&key, sizeof key), g_strdup(name));
    return first;
}

/* NAME in DIR_FD, which is PATH in the tree. */
static gboolean write_entry(
        Walk *walk, int dir_fd, const char *name, const char *path, const struct stat *st, GError **error) {
    gboolean is_root = g_str_equal(path, ".");
    g_autofree char *archived =
            g_strconcat("./", is_root ? "" : path, S_ISDIR(st->st_mode) && !is_root ? "/" : "", NULL);
    char text[PATH_MAX];
    TarEntry entry = {.name = archived,
            .mode = st->st_mode,
            .uid = st->st_uid,
            .gid = st->st_gid,
            .device = st->st_rdev,
            .mtime = walk->clamp_time >= 0 ? MIN(st->st_mtime, walk->clamp_time) : st->st_mtime,
            .size = st->st_size};

    entry.link = find_link(walk, archived, st);
    entry.is_hard_link = entry.link != NULL;
    if (S_ISLNK(st->st_mode) && !entry.link) {
        ssize_t length = readlinkat(dir_fd, name, text, sizeof text - 1);
        if (length < 0)
            return tree_set_error(error, "cannot read the link %s", path);
        text[length] = '\0';
        entry.link = text;
    }
    if (!entry.is_hard_link && !tree_each_xattr(dir_fd, name, -1, add_xattr, walk, error)) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    return tar_writer_begin(walk->tar, &entry, error) &&
           (entry.is_hard_link || !S_ISREG(st->st_mode) ||
                   write_data(walk, dir_fd, name, path, st->st_size, error));
}

static gboolean write_tree(Walk *walk, int dir_fd, const char *name, const char *path, GError **error) {
    struct stat st;

    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return tree_set_error(error, "cannot read %s", path);
    if (S_ISSOCK(st.st_mode))
        return TRUE;
    if (!write_entry(walk, dir_fd, name, path, &st, error))
        return FALSE;
    if (!S_ISDIR(st.st_mode) || is_volatile(path))
        return TRUE;

    AUTO_FD fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    int list_fd = fd >= 0 ? openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (list_fd < 0)
        return tree_set_error(error, "cannot open the directory %s", path);
    g_autoptr(GPtrArray) names = tree_list(list_fd, error);
    for (guint i = 0; names && i < names->len; i++) {
        g_autofree char *below = g_str_equal(path, ".") ? g_strdup(names->pdata[i])
                                                        : g_build_filename(path, names->pdata[i], NULL);
        if (!write_tree(walk, fd, names->pdata[i], below, error))
            return FALSE;
    }
    return names != NULL;
}

gboolean tar_write_tree(int tree_fd, Compressor *compressor, gint64 clamp_time, GError **error) {
    g_autoptr(TarWriter) tar = tar_writer_new(compressor);
    g_autoptr(GHashTable) linked = g_hash_table_new_full(inode_hash, inode_equal, g_free, g_free);
    g_autofree char *buffer = g_malloc(READ_SIZE);
    Walk walk = {.tar = tar, .clamp_time = clamp_time, .linked = linked, .buffer = buffer};

    if (write_tree(&walk, tree_fd, ".", ".", error) && tar_writer_finish(tar, error))
        return TRUE;
    g_prefix_error(error, "Cannot archive the tree: ");
    return FALSE;
}
