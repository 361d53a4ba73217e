/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/erofs/writer/erofs-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/compare.h"
#include "base/directory.h"
#include "base/errors.h"
#include "format/erofs/erofs-format.h"

typedef struct {
    dev_t device;
    ino_t inode;
} LinkKey;

static guint link_key_hash(gconstpointer data) {
    const LinkKey *key = data;
    guint64 mixed = (key->inode ^ (key->device << 40)) * G_GUINT64_CONSTANT(0x9E3779B97F4A7C15);
    return mixed >> 32;
}

static gboolean link_key_equal(gconstpointer a, gconstpointer b) {
    const LinkKey *x = a, *y = b;
    return x->device == y->device && x->inode == y->inode;
}

static void inode_free(gpointer data) {
    ErofsInode *inode = data;
    g_clear_pointer(&inode->xattrs, g_ptr_array_unref);
    g_clear_pointer(&inode->entries, g_hash_table_unref);
    g_clear_pointer(&inode->data.clusters, g_array_unref);
    g_free(inode->data.inline_tail);
    g_free(inode->source_path);
    g_free(inode->target);
    g_free(inode);
}

static void source_fd_clear(gpointer data) {
    cleanup_fd(data);
}

ErofsInode *erofs_tree_make_inode(ErofsTree *tree, mode_t mode, uid_t uid, gid_t gid) {
    ErofsInode *inode = g_new0(ErofsInode, 1);
    inode->mode = mode;
    inode->uid = uid;
    inode->gid = gid;
    inode->mtime = tree->build_time;
    inode->source_fd = -1;
    inode->data.fragment = EROFS_NO_FRAGMENT;
    if (S_ISDIR(mode))
        inode->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_ptr_array_add(tree->inodes, inode);
    return inode;
}

ErofsTree *erofs_tree_new(gint64 build_time, gint64 clamp_mtime) {
    ErofsTree *tree = g_new0(ErofsTree, 1);
    tree->inodes = g_ptr_array_new_with_free_func(inode_free);
    tree->source_fds = g_array_new(FALSE, FALSE, sizeof(int));
    g_array_set_clear_func(tree->source_fds, source_fd_clear);
    tree->hard_links = g_hash_table_new_full(link_key_hash, link_key_equal, g_free, NULL);
    tree->xattrs = erofs_xattr_table_new();
    tree->build_time = build_time;
    tree->clamp_mtime = clamp_mtime;
    tree->root = erofs_tree_make_inode(tree, S_IFDIR | 0755, 0, 0);
    tree->root->parent = tree->root;
    return tree;
}

void erofs_tree_free(ErofsTree *tree) {
    if (!tree)
        return;
    g_ptr_array_unref(tree->inodes);
    g_array_unref(tree->source_fds);
    g_hash_table_unref(tree->hard_links);
    erofs_xattr_table_free(tree->xattrs);
    g_free(tree);
}

static void set_mtime(const ErofsTree *tree, ErofsInode *inode, gint64 seconds, guint32 nanoseconds) {
    gboolean later = tree->clamp_mtime >= 0 && seconds >= tree->clamp_mtime;
    inode->mtime = later ? tree->clamp_mtime : seconds;
    inode->mtime_nsec = later ? 0 : nanoseconds;
}

/* The kernel's 32-bit encoding of a device number. */
static guint32 encode_device(dev_t device) {
    guint32 ma = major(device), mi = minor(device);
    return (mi & 0xff) | (ma << 8) | ((mi & ~0xffu) << 12);
}

static void set_attributes(const ErofsTree *tree, ErofsInode *inode, const struct stat *st) {
    inode->mode = st->st_mode;
    inode->uid = st->st_uid;
    inode->gid = st->st_gid;
    set_mtime(tree, inode, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
    if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
        inode->rdev = encode_device(st->st_rdev);
}

/* Splits a path into its names; "." and empty ones are dropped, ".." is an error. */
static char **split_path(const char *path, GError **error) {
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    for (char **part = parts; *part; part++) {
        if (**part == '\0' || g_str_equal(*part, "."))
            continue;
        if (g_str_equal(*part, "..") || strlen(*part) > EROFS_NAME_MAX) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "%s is not a path in a file system: %s", path,
                    g_str_equal(*part, "..") ? "it contains \"..\"" : "a name has more than 255 bytes");
            return NULL;
        }
        g_ptr_array_add(names, g_strdup(*part));
    }
    g_ptr_array_add(names, NULL);
    g_ptr_array_set_free_func(names, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

static ErofsInode *make_directory(ErofsTree *tree, ErofsInode *parent, const char *name) {
    ErofsInode *directory = erofs_tree_make_inode(tree, S_IFDIR | 0755, 0, 0);
    directory->parent = parent;
    g_hash_table_replace(parent->entries, g_strdup(name), directory);
    return directory;
}

/*
 * Goes down from the root along NAMES, all but the last SKIP_LAST of them, making directories that are
 * missing. Fails where something else is in the way.
 */
static ErofsInode *make_parents(ErofsTree *tree, char **names, guint skip_last, GError **error) {
    ErofsInode *at = tree->root;
    guint n = g_strv_length(names);
    for (guint i = 0; i + skip_last < n; i++) {
        ErofsInode *next = g_hash_table_lookup(at->entries, names[i]);
        if (!next)
            next = make_directory(tree, at, names[i]);
        if (!next->entries) {
            g_autofree char *path = g_strjoinv("/", names);
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY,
                    "adding /%s: %s in it is not a directory", path, names[i]);
            return NULL;
        }
        at = next;
    }
    return at;
}

/* Opens PATH below ROOT_FD without following symlinks or leaving the tree. Returns -1 and errno. */
static int open_beneath(int root_fd, const char *path, int flags) {
    struct open_how how = {
            .flags = (guint64) flags | O_CLOEXEC | O_NOFOLLOW,
            .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    return (int) syscall(SYS_openat2, root_fd, *path ? path : ".", &how, sizeof how);
}

static gboolean path_error(GError **error, const char *doing, const char *path) {
    int e = errno;
    return set_errno_error(error, e, "%s /%s", doing, path);
}

/* What one call of erofs_tree_add() needs all the way down. */
typedef struct {
    ErofsTree *tree;
    int root_fd;
    ErofsFilter filter;
    gpointer filter_data;
} Walk;

static ErofsInode *add_symlink_or_file(const Walk *walk, int directory_fd, const char *name,
        const char *path, const struct stat *st, GError **error) {
    ErofsInode *inode = erofs_tree_make_inode(walk->tree, st->st_mode, st->st_uid, st->st_gid);
    set_attributes(walk->tree, inode, st);
    if (S_ISREG(st->st_mode)) {
        inode->size = st->st_size;
        inode->source_fd = walk->root_fd;
        inode->source_path = g_strdup(path);
    } else if (S_ISLNK(st->st_mode)) {
        char target[4097];
        ssize_t n = readlinkat(directory_fd, name, target, sizeof target - 1);
        if (n < 0) {
            path_error(error, "reading symlink", path);
            return NULL;
        }
        target[n] = '\0';
        inode->target = g_strdup(target);
        inode->size = n;
    }
    return inode;
}

/* Finds or makes the inode for anything but a directory. */
static ErofsInode *take_inode(const Walk *walk, int directory_fd, const char *name, const char *path,
        const struct stat *st, GError **error) {
    LinkKey key = {st->st_dev, st->st_ino};
    if (st->st_nlink > 1) {
        ErofsInode *known = g_hash_table_lookup(walk->tree->hard_links, &key);
        if (known)
            return known;
    }
    ErofsInode *inode = add_symlink_or_file(walk, directory_fd, name, path, st, error);
    if (!inode)
        return NULL;
    if (!erofs_xattr_read(walk->tree->xattrs, directory_fd, name, &inode->xattrs, error)) {
        g_prefix_error(error, "/%s: ", path);
        return NULL;
    }
    if (st->st_nlink > 1)
        g_hash_table_insert(walk->tree->hard_links, g_memdup2(&key, sizeof key), inode);
    return inode;
}

static gboolean walk_directory(const Walk *walk, const char *path, ErofsInode *directory, GError **error);

static char *join_path(const char *path, const char *name) {
    return *path ? g_strconcat(path, "/", name, NULL) : g_strdup(name);
}

/*
 * Adds the entry NAME of a source directory to DIRECTORY. A directory is put on the list SUBDIRECTORIES, to
 * be entered after this one is closed, so that depth does not cost file descriptors.
 */
static gboolean walk_entry(const Walk *walk, int directory_fd, const char *name, const char *path,
        ErofsInode *directory, GPtrArray *subdirectories, GError **error) {
    struct stat st;
    if (fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return path_error(error, "reading attributes of", path);
    if (walk->filter && !walk->filter(path, &st, walk->filter_data))
        return TRUE;

    ErofsInode *present = g_hash_table_lookup(directory->entries, name);
    if (S_ISDIR(st.st_mode)) {
        if (!present || !present->entries)
            make_directory(walk->tree, directory, name);
        g_ptr_array_add(subdirectories, g_strdup(name));
        return TRUE;
    }
    ErofsInode *inode = take_inode(walk, directory_fd, name, path, &st, error);
    if (!inode)
        return FALSE;
    g_hash_table_replace(directory->entries, g_strdup(name), inode);
    return TRUE;
}

/* Copies the attributes of the directory PATH and reads its entries, but does not enter directories in it.
 */
static GPtrArray *read_directory(const Walk *walk, const char *path, ErofsInode *directory, GError **error) {
    AUTO_FD fd = open_beneath(walk->root_fd, path, O_RDONLY | O_DIRECTORY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        path_error(error, "opening directory", path);
        return NULL;
    }
    set_attributes(walk->tree, directory, &st);
    g_clear_pointer(&directory->xattrs, g_ptr_array_unref);
    g_autoptr(GPtrArray) names = list_directory_at(fd, ".", error);
    if (!names || !erofs_xattr_read(walk->tree->xattrs, fd, NULL, &directory->xattrs, error)) {
        g_prefix_error(error, "/%s: ", path);
        return NULL;
    }

    g_autoptr(GPtrArray) subdirectories = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *entry_path = join_path(path, names->pdata[i]);
        if (!walk_entry(walk, fd, names->pdata[i], entry_path, directory, subdirectories, error))
            return NULL;
    }
    return g_steal_pointer(&subdirectories);
}

static gboolean walk_directory(const Walk *walk, const char *path, ErofsInode *directory, GError **error) {
    g_autoptr(GPtrArray) subdirectories = read_directory(walk, path, directory, error);
    if (!subdirectories)
        return FALSE;
    for (guint i = 0; i < subdirectories->len; i++) {
        const char *name = subdirectories->pdata[i];
        g_autofree char *entry_path = join_path(path, name);
        if (!walk_directory(walk, entry_path, g_hash_table_lookup(directory->entries, name), error))
            return FALSE;
    }
    return TRUE;
}

/* Adds something that is not a directory as the last of NAMES. */
static gboolean add_single(const Walk *walk, char **source, const char *path, const struct stat *st,
        char **names, GError **error) {
    guint n = g_strv_length(names), n_source = g_strv_length(source);
    if (n == 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY,
                "/%s is not a directory and cannot be the root of a file system", path);
        return FALSE;
    }
    ErofsInode *parent = make_parents(walk->tree, names, 1, error);
    if (!parent)
        return FALSE;

    g_autofree char *name = g_strdup(source[n_source - 1]);
    g_clear_pointer(&source[n_source - 1], g_free);
    g_autofree char *directory = g_strjoinv("/", source);
    AUTO_FD fd = open_beneath(walk->root_fd, directory, O_PATH | O_DIRECTORY);
    if (fd < 0)
        return path_error(error, "opening directory", directory);
    ErofsInode *inode = take_inode(walk, fd, name, path, st, error);
    if (!inode)
        return FALSE;
    g_hash_table_replace(parent->entries, g_strdup(names[n - 1]), inode);
    return TRUE;
}

gboolean erofs_tree_add(ErofsTree *tree, int root_fd, const char *source_path, const char *target_path,
        ErofsFilter filter, gpointer data, GError **error) {
    g_auto(GStrv) names = split_path(target_path, error);
    if (!names)
        return FALSE;
    g_auto(GStrv) source = split_path(source_path, error);
    if (!source)
        return FALSE;
    g_autofree char *path = g_strjoinv("/", source);

    int root = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);
    if (root < 0)
        return path_error(error, "keeping the tree open for", path);
    g_array_append_val(tree->source_fds, root);

    struct stat st;
    AUTO_FD fd = open_beneath(root, path, O_PATH);
    if (fd < 0 || fstat(fd, &st) < 0)
        return path_error(error, "opening", path);
    if (filter && *path && !filter(path, &st, data))
        return TRUE;

    Walk walk = {tree, root, filter, data};
    if (!S_ISDIR(st.st_mode))
        return add_single(&walk, source, path, &st, names, error);
    ErofsInode *directory = make_parents(tree, names, 0, error);
    return directory && walk_directory(&walk, path, directory, error);
}

gboolean erofs_tree_add_directory(
        ErofsTree *tree, const char *path, mode_t mode, uid_t uid, gid_t gid, gint64 mtime, GError **error) {
    g_auto(GStrv) names = split_path(path, error);
    ErofsInode *directory = names ? make_parents(tree, names, 0, error) : NULL;
    if (!directory)
        return FALSE;
    directory->mode = S_IFDIR | (mode & 07777);
    directory->uid = uid;
    directory->gid = gid;
    set_mtime(tree, directory, mtime < 0 ? tree->build_time : mtime, 0);
    return TRUE;
}

gboolean erofs_tree_add_symlink(ErofsTree *tree, const char *path, const char *target, uid_t uid, gid_t gid,
        gint64 mtime, GError **error) {
    g_auto(GStrv) names = split_path(path, error);
    if (!names)
        return FALSE;
    guint n = g_strv_length(names);
    ErofsInode *parent = n > 0 ? make_parents(tree, names, 1, error) : NULL;
    if (!parent && n > 0)
        return FALSE;
    ErofsInode *present = n > 0 ? g_hash_table_lookup(parent->entries, names[n - 1]) : tree->root;
    if (present && present->entries) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY, "symlink %s: a directory is there", path);
        return FALSE;
    }
    if (*target == '\0' || strlen(target) > EROFS_BLOCK_SIZE - 1) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "symlink %s: its target must have 1 to %d bytes", path, EROFS_BLOCK_SIZE - 1);
        return FALSE;
    }
    ErofsInode *symlink = erofs_tree_make_inode(tree, S_IFLNK | 0777, uid, gid);
    symlink->target = g_strdup(target);
    symlink->size = strlen(target);
    set_mtime(tree, symlink, mtime < 0 ? tree->build_time : mtime, 0);
    g_hash_table_replace(parent->entries, g_strdup(names[n - 1]), symlink);
    return TRUE;
}

GPtrArray *erofs_tree_sorted_names(const ErofsInode *directory) {
    GPtrArray *names = g_ptr_array_sized_new(g_hash_table_size(directory->entries));
    GHashTableIter iter;
    gpointer name;
    g_hash_table_iter_init(&iter, directory->entries);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_ptr_array_add(names, name);
    g_ptr_array_sort(names, compare_strings);
    return names;
}

/* FNV-1a, continued from HASH. */
static guint32 hash_name(guint32 hash, const char *name) {
    for (; *name; name++)
        hash = (hash ^ (guint8) *name) * 16777619u;
    return (hash ^ '/') * 16777619u;
}

/* A link to INODE was found. Returns whether it is the first. */
static gboolean count_link(ErofsInode *inode, guint32 path_hash, GPtrArray *order) {
    inode->nlink++;
    if (inode->ino != 0)
        return FALSE;
    g_ptr_array_add(order, inode);
    inode->ino = order->len;
    inode->path_hash = path_hash;
    for (guint i = 0; inode->xattrs && i < inode->xattrs->len; i++)
        ((ErofsXattr *) inode->xattrs->pdata[i])->uses++;
    return TRUE;
}

static void finish_directory(ErofsInode *directory, GPtrArray *order) {
    directory->nlink++; /* its own "." */
    g_autoptr(GPtrArray) names = erofs_tree_sorted_names(directory);
    for (guint i = 0; i < names->len; i++) {
        ErofsInode *inode = g_hash_table_lookup(directory->entries, names->pdata[i]);
        guint32 hash = hash_name(directory->path_hash, names->pdata[i]);
        if (count_link(inode, hash, order) && inode->entries) {
            finish_directory(inode, order);
            directory->nlink++; /* its ".." */
        }
    }
}

GPtrArray *erofs_tree_finish(ErofsTree *tree) {
    GPtrArray *order = g_ptr_array_new();
    count_link(tree->root, 2166136261u, order);
    finish_directory(tree->root, order);
    return order;
}

int erofs_inode_open(const ErofsInode *inode, GError **error) {
    AUTO_FD fd = open_beneath(inode->source_fd, inode->source_path, O_RDONLY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        path_error(error, "opening", inode->source_path);
        return -1;
    }
    if (!S_ISREG(st.st_mode) || (guint64) st.st_size != inode->size) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                "/%s changed while the file system was written; nothing may write to the tree meanwhile",
                inode->source_path);
        return -1;
    }
    return steal_fd(&fd);
}
