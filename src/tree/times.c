/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tree/tree-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static gboolean clamp_entry(int dir_fd, const char *name, gint64 epoch, GError **error) {
    struct stat st;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
        return tree_set_error(error, "cannot read %s", name);
    if (st.st_mtim.tv_sec < epoch || (st.st_mtim.tv_sec == epoch && st.st_mtim.tv_nsec == 0))
        return TRUE;
    const struct timespec times[2] = {{.tv_sec = epoch}, {.tv_sec = epoch}};
    if (utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return tree_set_error(error, "cannot set the time of %s", name);
    return TRUE;
}

/* Takes over FD. Entries first: this does not change the time of their directory. */
static gboolean clamp_directory(int fd, gint64 epoch, GError **error) {
    AUTO_DIR directory = fdopendir(fd);
    if (!directory) {
        close(fd);
        return tree_set_error(error, "cannot read a directory");
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int below = -1;
        if (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) {
            below = tree_open_entry_directory(dirfd(directory), entry->d_name);
            /* Another file system is another tree. */
            if (below < 0 && errno == EXDEV)
                continue;
            if (below < 0 && errno != ENOTDIR && errno != ELOOP)
                return tree_set_error(error, "cannot open the directory %s", entry->d_name);
        }
        if (below >= 0 && !clamp_directory(below, epoch, error))
            return FALSE;
        if (!clamp_entry(dirfd(directory), entry->d_name, epoch, error))
            return FALSE;
    }
    return errno == 0 ? TRUE : tree_set_error(error, "cannot read a directory");
}

gboolean tree_clamp_times(int tree_fd, gint64 epoch, GError **error) {
    int fd = openat(tree_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return tree_set_error(error, "cannot open the tree");
    return clamp_directory(fd, epoch, error) && clamp_entry(tree_fd, ".", epoch, error);
}
