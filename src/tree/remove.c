/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tree/tree-private.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>

static gboolean remove_entry(int dir_fd, const char *name, GError **error);

/* Opens a directory that is to be emptied; one that its owner may not read is made readable. Mounts are
 * never entered: what is below does not belong to the tree. */
static int open_to_empty(int dir_fd, const char *name) {
    int fd = tree_open_entry_directory(dir_fd, name);
    if (fd < 0 && errno == EACCES && fchmodat(dir_fd, name, 0700, 0) == 0)
        fd = tree_open_entry_directory(dir_fd, name);
    return fd;
}

/* Removes the entries of the directory that FD is. Takes over FD. */
static gboolean empty_directory(int fd, GError **error) {
    AUTO_DIR directory = fdopendir(fd);
    if (!directory) {
        close(fd);
        return tree_set_error(error, "cannot read a directory");
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry)
            return errno == 0 ? TRUE : tree_set_error(error, "cannot read a directory");
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        /* Most entries are not directories, and then this is the only system call. */
        if (entry->d_type != DT_DIR && unlinkat(dirfd(directory), entry->d_name, 0) == 0)
            continue;
        if (!remove_entry(dirfd(directory), entry->d_name, error))
            return FALSE;
    }
}

/* A directory without write permission refuses to give up its entries (to owners, not to root). */
static void make_writable(int dir_fd) {
    struct stat st;
    if (fstat(dir_fd, &st) == 0 && (st.st_mode & 0700) != 0700)
        fchmod(dir_fd, (st.st_mode & 07777) | 0700);
}

static gboolean remove_entry(int dir_fd, const char *name, GError **error) {
    if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
        return TRUE;
    if (errno == EACCES) {
        make_writable(dir_fd);
        if (unlinkat(dir_fd, name, 0) == 0)
            return TRUE;
    }
    if (errno != EISDIR && errno != EPERM)
        return tree_set_error(error, "cannot remove %s", name);
    int fd = open_to_empty(dir_fd, name);
    if (fd < 0) {
        if (errno == EXDEV)
            return tree_set_error(error, "cannot remove %s, where a file system is mounted", name);
        return tree_set_error(error, "cannot remove %s", name);
    }
    make_writable(fd);
    if (!empty_directory(fd, error)) {
        g_prefix_error(error, "%s/", name);
        return FALSE;
    }
    if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return tree_set_error(error, "cannot remove %s", name);
    return TRUE;
}

/* The mounts on the way to PATH are no mounts in what is removed. */
static gboolean remove_path(const char *path, GError **error) {
    g_autofree char *whole = g_canonicalize_filename(path, NULL);
    g_autofree char *parent = g_path_get_dirname(whole);
    g_autofree char *name = g_path_get_basename(whole);
    AUTO_FD fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || tree_set_error(error, "cannot remove %s", path);
    return remove_entry(fd, name, error);
}

gboolean tree_remove(int dir_fd, const char *name, GError **error) {
    g_autoptr(GError) inner = NULL;
    if (dir_fd == AT_FDCWD ? remove_path(name, &inner) : remove_entry(dir_fd, name, &inner))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&inner));
    return FALSE;
}

typedef struct {
    int tree_fd;
    char **components;
} Glob;

static gboolean glob_level(const Glob *glob, const char *path, guint level, GError **error);

static gboolean is_pattern(const char *component) {
    return strpbrk(component, "*?[\\") != NULL;
}

/* A match of the component LEVEL: NAME in the directory PATH. */
static gboolean glob_match(
        const Glob *glob, int dir_fd, const char *path, const char *name, guint level, GError **error) {
    if (!glob->components[level + 1])
        return tree_remove(dir_fd, name, error);
    g_autofree char *below = g_strdup_printf("%s/%s", path, name);
    return glob_level(glob, below, level + 1, error);
}

/* "**" at LEVEL: no directory or any number of them, through no links. */
static gboolean glob_any_depth(const Glob *glob, int dir_fd, const char *path, guint level, GError **error) {
    if (!glob_level(glob, path, level + 1, error))
        return FALSE;
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GPtrArray) names = fd >= 0 ? tree_list(fd, error) : NULL;
    if (!names)
        return fd >= 0 ? FALSE : tree_set_error(error, "cannot read %s", path);
    for (guint i = 0; i < names->len; i++) {
        struct stat st;
        if (fstatat(dir_fd, names->pdata[i], &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
            continue;
        g_autofree char *below = g_strdup_printf("%s/%s", path, (char *) names->pdata[i]);
        if (!glob_level(glob, below, level, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean glob_level(const Glob *glob, const char *path, guint level, GError **error) {
    const char *component = glob->components[level];
    AUTO_FD dir_fd = tree_open_raw(glob->tree_fd, path, O_RDONLY | O_DIRECTORY, 0);
    if (dir_fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? TRUE : tree_set_error(error, "cannot open %s", path);
    if (strcmp(component, "**") == 0 && glob->components[level + 1])
        return glob_any_depth(glob, dir_fd, path, level, error);
    if (!is_pattern(component))
        return glob_match(glob, dir_fd, path, component, level, error);

    int list_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
    g_autoptr(GPtrArray) names = list_fd >= 0 ? tree_list(list_fd, error) : NULL;
    if (!names)
        return list_fd >= 0 ? FALSE : tree_set_error(error, "cannot read %s", path);
    for (guint i = 0; i < names->len; i++)
        if (fnmatch(component, names->pdata[i], 0) == 0 &&
                !glob_match(glob, dir_fd, path, names->pdata[i], level, error))
            return FALSE;
    return TRUE;
}

gboolean tree_remove_glob(int tree_fd, const char *pattern, GError **error) {
    g_auto(GStrv) parts = g_strsplit(pattern, "/", -1);
    g_autoptr(GPtrArray) components = g_ptr_array_new();
    for (char **part = parts; *part; part++)
        if (**part && strcmp(*part, ".") != 0)
            g_ptr_array_add(components, *part);
    g_ptr_array_add(components, NULL);
    for (guint i = 0; components->pdata[i]; i++) {
        if (strcmp(components->pdata[i], "..") == 0) {
            g_set_error(
                    error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "cannot remove %s: '..' in a pattern", pattern);
            return FALSE;
        }
    }
    if (components->len == 1) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "cannot remove the whole tree ('%s')", pattern);
        return FALSE;
    }
    Glob glob = {.tree_fd = tree_fd, .components = (char **) components->pdata};
    if (!glob_level(&glob, "", 0, error)) {
        g_prefix_error(error, "cannot remove what %s matches: ", pattern);
        return FALSE;
    }
    return TRUE;
}
