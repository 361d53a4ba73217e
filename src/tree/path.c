/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Paths inside of a tree: links are resolved as after chroot (openat2, RESOLVE_IN_ROOT). */

#include "tree/tree-private.h"
#include "base/directory.h"
#include "base/errors.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

#define MAX_LINKS 16

gboolean tree_set_error(GError **error, const char *format, ...) {
    int number = errno;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return set_errno_error(error, number, "%s", message);
}

int tree_open_raw(int tree_fd, const char *path, int flags, mode_t mode) {
    struct open_how how = {
            .flags = flags | O_CLOEXEC,
            .mode = flags & (O_CREAT | O_TMPFILE) ? mode : 0,
            .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    if (!(flags & O_CREAT) && (flags & O_TMPFILE) != O_TMPFILE)
        how.mode = 0;
    /* An absolute path that belongs to no tree means the whole file system. */
    AUTO_FD root = tree_fd == AT_FDCWD && *path == '/' ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    int fd;
    /* EAGAIN: something was renamed meanwhile, so ".." could not be trusted. */
    do
        fd = syscall(SYS_openat2, root >= 0 ? root : tree_fd, *path ? path : "/", &how, sizeof how);
    while (fd < 0 && (errno == EAGAIN || errno == EINTR));
    return fd;
}

int tree_open(int tree_fd, const char *path, int flags, mode_t mode, GError **error) {
    int fd = tree_open_raw(tree_fd, path, flags, mode);
    if (fd < 0)
        tree_set_error(error, "cannot open %s", path);
    return fd;
}

gboolean tree_exists(int tree_fd, const char *path) {
    AUTO_FD fd = tree_open_raw(tree_fd, path, O_PATH, 0);
    return fd >= 0;
}

void tree_split_path(const char *path, char **ret_directory, char **ret_name) {
    g_autofree char *copy = g_strdup(path);
    gsize length = strlen(copy);
    while (length > 0 && copy[length - 1] == '/')
        copy[--length] = '\0';
    char *slash = strrchr(copy, '/');
    const char *name = slash ? slash + 1 : copy;
    if (strcmp(name, ".") == 0)
        name = "";
    *ret_name = g_strdup(name);
    *ret_directory = slash ? g_strndup(copy, slash - copy) : g_strdup("");
}

static int open_or_make(int tree_fd, const char *path, mode_t mode, guint links, GError **error);

/* PARENT/NAME exists and cannot be opened: a link that leads nowhere yet. */
static int open_link_target(int tree_fd, int parent_fd, const char *parent, const char *name, mode_t mode,
        guint links, GError **error) {
    char text[PATH_MAX];
    ssize_t length = readlinkat(parent_fd, name, text, sizeof text - 1);
    if (length < 0) {
        errno = errno == EINVAL ? ENOTDIR : errno;
        tree_set_error(error, "cannot make the directory %s/%s", parent, name);
        return -1;
    }
    if (links == 0) {
        errno = ELOOP;
        tree_set_error(error, "cannot make the directory %s/%s", parent, name);
        return -1;
    }
    text[length] = '\0';
    g_autofree char *target = *text == '/' ? g_strdup(text) : g_build_filename("/", parent, text, NULL);
    return open_or_make(tree_fd, target, mode, links - 1, error);
}

static int open_or_make(int tree_fd, const char *path, mode_t mode, guint links, GError **error) {
    int fd = tree_open_raw(tree_fd, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd >= 0)
        return fd;
    g_autofree char *parent = NULL, *name = NULL;
    tree_split_path(path, &parent, &name);
    if (errno != ENOENT || !*name) {
        tree_set_error(error, "cannot open the directory %s", path);
        return -1;
    }
    AUTO_FD parent_fd = open_or_make(tree_fd, parent, 0755, links, error);
    if (parent_fd < 0)
        return -1;
    if (mkdirat(parent_fd, name, mode) < 0) {
        if (errno == EEXIST)
            return open_link_target(tree_fd, parent_fd, parent, name, mode, links, error);
        tree_set_error(error, "cannot make the directory %s", path);
        return -1;
    }
    /* Whatever the umask is. */
    fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fchmod(fd, mode) < 0) {
        tree_set_error(error, "cannot open the directory %s", path);
        cleanup_fd(&fd);
    }
    return fd;
}

int tree_open_directory(int tree_fd, const char *path, mode_t mode, GError **error) {
    return open_or_make(tree_fd, path, mode, MAX_LINKS, error);
}

gboolean tree_mkdir_p(int tree_fd, const char *path, mode_t mode, GError **error) {
    AUTO_FD fd = tree_open_directory(tree_fd, path, mode, error);
    return fd >= 0;
}

char *tree_read_file(int tree_fd, const char *path, gsize *ret_length, GError **error) {
    AUTO_FD fd = tree_open(tree_fd, path, O_RDONLY | O_NONBLOCK, 0, error);
    if (fd < 0)
        return NULL;
    struct stat st;
    if (fstat(fd, &st) < 0) {
        tree_set_error(error, "cannot read %s", path);
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        tree_set_error(error, "cannot read %s, which is not a regular file", path);
        return NULL;
    }
    g_autoptr(GByteArray) content = g_byte_array_sized_new(st.st_size + 1);
    for (;;) {
        guint8 buffer[65536];
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            tree_set_error(error, "cannot read %s", path);
            return NULL;
        }
        if (n == 0)
            break;
        g_byte_array_append(content, buffer, n);
    }
    if (ret_length)
        *ret_length = content->len;
    g_byte_array_append(content, (const guint8 *) "", 1);
    return (char *) g_byte_array_free(g_steal_pointer(&content), FALSE);
}

gboolean tree_make_room(int dir_fd, const char *name, GError **error) {
    if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
        return TRUE;
    if (errno == EISDIR && unlinkat(dir_fd, name, AT_REMOVEDIR) == 0)
        return TRUE;
    return tree_set_error(error, "cannot replace %s", name);
}

gboolean tree_write_file(
        int tree_fd, const char *path, const char *content, gssize length, mode_t mode, GError **error) {
    g_autofree char *directory = NULL, *name = NULL;
    tree_split_path(path, &directory, &name);
    AUTO_FD dir_fd = tree_open_directory(tree_fd, directory, 0755, error);
    if (dir_fd < 0 || !tree_make_room(dir_fd, name, error))
        return FALSE;
    AUTO_FD fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || !write_all(fd, content, length < 0 ? strlen(content) : (gsize) length) ||
            fchmod(fd, mode) < 0)
        return tree_set_error(error, "cannot write %s", path);
    return TRUE;
}

int tree_open_entry_directory(int dir_fd, const char *name) {
    struct open_how how = {
            .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
            .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
    };
    return syscall(SYS_openat2, dir_fd, name, &how, sizeof how);
}

GPtrArray *tree_list(int fd, GError **error) {
    GPtrArray *names = list_directory_fd(fd, error);
    if (!names)
        g_prefix_error(error, "cannot read a directory: ");
    return names;
}
