/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/directory.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/compare.h"

GPtrArray *list_directory(const char *path, GError **error) {
    g_autoptr(GDir) directory = g_dir_open(path, 0, error);
    if (!directory)
        return NULL;
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(directory));)
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_strings);
    return names;
}

GPtrArray *list_directory_if_any(const char *path) {
    GPtrArray *names = list_directory(path, NULL);
    return names ? names : g_ptr_array_new();
}

static GPtrArray *fail(GError **error, int number) {
    g_set_error_literal(error, G_FILE_ERROR, g_file_error_from_errno(number), g_strerror(number));
    return NULL;
}

GPtrArray *list_directory_fd(int fd, GError **error) {
    AUTO_FD taken = fd;
    AUTO_DIR directory = taken >= 0 ? fdopendir(taken) : NULL;
    if (!directory)
        return fail(error, errno);
    steal_fd(&taken);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry)
            break;
        if (!g_str_equal(entry->d_name, ".") && !g_str_equal(entry->d_name, ".."))
            g_ptr_array_add(names, g_strdup(entry->d_name));
    }
    if (errno != 0)
        return fail(error, errno);
    g_ptr_array_sort(names, compare_strings);
    return g_steal_pointer(&names);
}

GPtrArray *list_directory_at(int dir_fd, const char *name, GError **error) {
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? fail(error, errno) : list_directory_fd(fd, error);
}

gboolean path_is_below(const char *path, const char *directory) {
    gsize length = strlen(directory);
    return g_str_equal(directory, "/") ||
           (strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0'));
}
