/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/volumes/stage.h"

#include "base/cleanup.h"
#include "base/errors.h"
#include "image/volumes/labels.h"
#include "tree/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define STAGE_NAME "stage"

static gboolean fail_errno(const char *what, GError **error) {
    int saved = errno;

    return set_errno_error(error, saved, "%s", what);
}

static GPtrArray *list_names(int dir_fd, const char *what, GError **error) {
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        return tree_list(fd, error);
    fail_errno(what, error);
    return NULL;
}

/* Removes what CONTENT does not want below DIR_FD, which is PATH of SOURCE. Times of directories stay. */
static gboolean prune(
        const Content *content, const ContentSource *source, int dir_fd, const char *path, GError **error) {
    g_autoptr(GPtrArray) names = list_names(dir_fd, path, error);
    gboolean changed = FALSE;
    struct stat st;

    if (!names)
        return FALSE;
    if (fstat(dir_fd, &st) < 0)
        return fail_errno(path, error);
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *child = *path ? g_strconcat(path, "/", name, NULL) : g_strdup(name);

        if (!content_wants(content, source, child)) {
            if (!tree_remove(dir_fd, name, error))
                return FALSE;
            changed = TRUE;
            continue;
        }
        AUTO_FD fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno != ENOTDIR && errno != ELOOP && errno != ENXIO)
            return fail_errno(child, error);
        if (fd >= 0 && !prune(content, source, fd, child, error))
            return FALSE;
    }
    if (changed && futimens(dir_fd, (struct timespec[]){st.st_atim, st.st_mtim}) < 0)
        return fail_errno(path, error);
    return TRUE;
}

static gboolean copy_source(
        const Volume *volume, const ContentSource *source, int stage_fd, GError **error) {
    if (!source->is_directory) {
        g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", source->fd);
        g_autofree char *path = g_file_read_link(link, error);
        return path && tree_copy(AT_FDCWD, path, stage_fd, source->target, TREE_COPY_KEEP_OWNER, error);
    }
    if (!tree_copy(source->fd, ".", stage_fd, source->target, TREE_COPY_KEEP_OWNER, error))
        return FALSE;
    AUTO_FD target = tree_open(stage_fd, source->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, error);
    return target >= 0 && prune(volume->content, source, target, "", error);
}

/* Sets the time of everything the copy made up or that is newer than the epoch, and counts. */
static gboolean finish_directory(
        const Volume *volume, int dir_fd, const char *path, StageSize *size, GError **error) {
    g_autoptr(GPtrArray) names = list_names(dir_fd, path, error);

    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *child = g_strconcat(path, "/", name, NULL);
        struct stat st;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return fail_errno(child, error);
        if (volume->label_of && !volume_label_set(volume, dir_fd, name, child, st.st_mode, error))
            return FALSE;
        size->inodes++;
        if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
            size->bytes += ((guint64) st.st_size + 4095) / 4096 * 4096;
        if (S_ISDIR(st.st_mode)) {
            AUTO_FD fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (fd < 0)
                return fail_errno(child, error);
            if (!finish_directory(volume, fd, child, size, error))
                return FALSE;
        }
    }
    return TRUE;
}

static gboolean make_extras(const Volume *volume, int stage_fd, GError **error) {
    const PartitionDefinition *definition = volume->content->definition;

    for (guint i = 0; i < definition->make_directories->len; i++)
        if (!tree_mkdir_p(stage_fd, definition->make_directories->pdata[i], 0755, error))
            return FALSE;
    for (guint i = 0; i < definition->make_symlinks->len; i++) {
        const DefinitionPair *pair = definition->make_symlinks->pdata[i];
        g_autofree char *parent = g_path_get_dirname(pair->source);
        g_autofree char *name = g_path_get_basename(pair->source);

        if (!tree_mkdir_p(stage_fd, parent, 0755, error))
            return FALSE;
        AUTO_FD fd = tree_open(stage_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, error);
        if (fd < 0)
            return FALSE;
        if (symlinkat(pair->target, fd, name) < 0)
            return fail_errno(pair->source, error);
    }
    return TRUE;
}

static gboolean set_attributes(const Volume *volume, int stage_fd, GError **error) {
    GHashTableIter iter;
    gpointer name, value;

    if (!volume->attributes)
        return TRUE;
    g_hash_table_iter_init(&iter, volume->attributes);
    while (g_hash_table_iter_next(&iter, &name, &value))
        if (fsetxattr(stage_fd, name, g_bytes_get_data(value, NULL), g_bytes_get_size(value), 0) < 0)
            return fail_errno(name, error);
    return TRUE;
}

char *stage_content(const Volume *volume, StageSize *ret_size, GError **error) {
    g_autofree char *path = g_build_filename(volume->work, STAGE_NAME, NULL);

    *ret_size = (StageSize){};
    if (!stage_remove(volume, error))
        return NULL;
    if (mkdir(path, 0755) < 0 || chmod(path, 0755) < 0) {
        fail_errno(path, error);
        return NULL;
    }
    AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        fail_errno(path, error);
        return NULL;
    }
    for (guint i = 0; i < volume->content->sources->len; i++)
        if (!copy_source(volume, volume->content->sources->pdata[i], fd, error))
            return NULL;
    if (!make_extras(volume, fd, error) || !set_attributes(volume, fd, error) ||
            !tree_clamp_times(fd, volume_time(volume), error) ||
            (volume->label_of && !volume_label_set(volume, fd, ".", "/", S_IFDIR | 0755, error)) ||
            !finish_directory(volume, fd, "", ret_size, error))
        return NULL;
    return g_steal_pointer(&path);
}

gboolean stage_remove(const Volume *volume, GError **error) {
    AUTO_FD fd = open(volume->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return fail_errno(volume->work, error);
    return tree_remove(fd, STAGE_NAME, error);
}
