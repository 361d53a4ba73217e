/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/volumes/boot-content.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "image/volumes/content.h"
#include "tree/tree.h"

static void boot_content_file_free(gpointer data) {
    BootContentFile *file = data;

    g_free(file->path);
    g_bytes_unref(file->content);
    g_free(file);
}

gboolean boot_content_is_readable(const PartitionDefinition *definition) {
    return definition->copy_blocks || definition->format == PARTITION_FORMAT_VFAT;
}

/* What is left of PATH below DIRECTORY, without leading slash; NULL when it is not there. */
static const char *below(const char *path, const char *directory) {
    while (*directory == '/')
        directory++;
    gsize length = strlen(directory);
    if (length == 0)
        return path;
    if (strncasecmp(path, directory, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return NULL;
    return path[length] ? path + length + 1 : path + length;
}

static gboolean add_file(GPtrArray *files, const Content *content, const char *directory, const char *name, int fd,
        GError **error) {
    g_autoptr(GMappedFile) mapped = g_mapped_file_new_from_fd(fd, FALSE, error);
    BootContentFile *file;

    if (!mapped)
        return FALSE;
    file = g_new(BootContentFile, 1);
    *file = (BootContentFile){content->definition, g_build_filename(directory, name, NULL),
            g_mapped_file_get_bytes(mapped)};
    g_ptr_array_add(files, file);
    return TRUE;
}

static gboolean list_here(GPtrArray *files, const Content *content, const ContentSource *source, const char *path,
        const char *directory, int fd, GError **error) {
    AUTO_DIR dir = fdopendir(fd);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        g_autofree char *inside = *path ? g_build_filename(path, entry->d_name, NULL) : g_strdup(entry->d_name);
        struct stat st;
        if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
                !content_wants(content, source, inside))
            continue;
        AUTO_FD file_fd = openat(fd, entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (file_fd >= 0 && !add_file(files, content, directory, entry->d_name, file_fd, error))
            return FALSE;
    }
    return TRUE;
}

/* Goes down REST from the directory FD (taken over), which is at PATH of the source, into every directory of that
 * name, however its letters are written. */
static gboolean descend(GPtrArray *files, const Content *content, const ContentSource *source, const char *path,
        const char *rest, const char *directory, int fd, GError **error) {
    gsize length = strcspn(rest, "/");
    struct dirent *entry;

    if (*rest == '\0')
        return list_here(files, content, source, path, directory, fd, error);
    AUTO_DIR dir = fdopendir(fd);
    while (dir && (entry = readdir(dir))) {
        if (strlen(entry->d_name) != length || strncasecmp(entry->d_name, rest, length) != 0)
            continue;
        int child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        g_autofree char *inside = *path ? g_build_filename(path, entry->d_name, NULL) : g_strdup(entry->d_name);
        if (child < 0)
            continue;
        if (!descend(files, content, source, inside, rest + length + (rest[length] == '/'), directory, child, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean list_source(GPtrArray *files, const Content *content, const ContentSource *source,
        const char *directory, GError **error) {
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", source->fd);

    if (source->is_directory) {
        const char *rest = below(directory, source->target);
        int fd = rest ? open(link, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        return fd < 0 || descend(files, content, source, "", rest, directory, fd, error);
    }
    const char *name = below(source->target + 1, directory);
    AUTO_FD fd = name && *name && !strchr(name, '/') ? open(link, O_RDONLY | O_CLOEXEC) : -1;
    return fd < 0 || add_file(files, content, directory, name, fd, error);
}

static int compare_files(gconstpointer a, gconstpointer b) {
    return strcmp((*(BootContentFile *const *) a)->path, (*(BootContentFile *const *) b)->path);
}

GPtrArray *boot_content_list(
        GPtrArray *definitions, PartitionRole role, int root_fd, const char *directory, GError **error) {
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(boot_content_file_free);

    for (guint i = 0; i < definitions->len; i++) {
        const PartitionDefinition *definition = definitions->pdata[i];
        if (definition->type.role != role || definition->format != PARTITION_FORMAT_VFAT)
            continue;
        g_autoptr(Content) content = content_new(definition, definitions, root_fd, error);
        if (!content)
            return NULL;
        for (guint j = 0; j < content->sources->len; j++)
            if (!list_source(files, content, content->sources->pdata[j], directory, error))
                return NULL;
    }
    g_ptr_array_sort(files, compare_files);
    return g_steal_pointer(&files);
}
