/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tree/tree-private.h"

#include <fcntl.h>

static void add_entry(int dir_fd, const char *name, GHashTable *seen, TreeUsage *usage) {
    struct stat st;

    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
        g_autofree char *inode = g_strdup_printf(
                "%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64) st.st_dev, (guint64) st.st_ino);
        if (!g_hash_table_add(seen, g_steal_pointer(&inode)))
            return;
    }
    usage->size += S_ISREG(st.st_mode) ? st.st_size : 0;
    usage->used += (guint64) st.st_blocks * 512;
    if (!S_ISDIR(st.st_mode))
        return;

    int fd = tree_open_entry_directory(dir_fd, name);
    int list_fd = fd >= 0 ? openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    g_autoptr(GPtrArray) names = list_fd >= 0 ? tree_list(list_fd, NULL) : NULL;
    for (guint i = 0; names && i < names->len; i++)
        add_entry(fd, names->pdata[i], seen, usage);
    if (fd >= 0)
        close(fd);
}

TreeUsage tree_usage(const char *path) {
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    TreeUsage usage = {0};
    AUTO_FD fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return usage;
    if (S_ISDIR(st.st_mode))
        add_entry(fd, ".", seen, &usage);
    else
        usage = (TreeUsage){st.st_size, (guint64) st.st_blocks * 512};
    return usage;
}
