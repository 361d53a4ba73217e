/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/volumes/volume-erofs.h"

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/task.h"
#include "format/erofs/writer/erofs-writer.h"
#include "image/volumes/labels.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

typedef struct {
    const Content *content;
    const ContentSource *source;
} FilterData;

static gboolean filter(const char *path, const struct stat *st, gpointer data) {
    const FilterData *filter_data = data;

    return content_wants(filter_data->content, filter_data->source, path);
}

/* The writer wants the directory that a single file is in. */
static gboolean add_file(ErofsWriter *writer, const ContentSource *source, GError **error) {
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", source->fd);
    g_autofree char *path = g_file_read_link(link, error);
    g_autofree char *directory = path ? g_path_get_dirname(path) : NULL;
    g_autofree char *name = path ? g_path_get_basename(path) : NULL;

    if (!path)
        return FALSE;
    AUTO_FD fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return set_errno_error(error, errno, "%s", source->source);
    return erofs_writer_add_tree(writer, fd, name, source->target, NULL, NULL, error);
}

static gboolean add_sources(const Volume *volume, ErofsWriter *writer, GError **error) {
    for (guint i = 0; i < volume->content->sources->len; i++) {
        const ContentSource *source = volume->content->sources->pdata[i];
        FilterData data = {volume->content, source};

        if (source->is_directory ? !erofs_writer_add_tree(
                                           writer, source->fd, "", source->target, filter, &data, error)
                                 : !add_file(writer, source, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_made(const Volume *volume, ErofsWriter *writer, GError **error) {
    const PartitionDefinition *definition = volume->content->definition;

    for (guint i = 0; i < definition->make_directories->len; i++)
        if (!erofs_writer_add_directory(
                    writer, definition->make_directories->pdata[i], 0755, 0, 0, volume_time(volume), error))
            return FALSE;
    for (guint i = 0; i < definition->make_symlinks->len; i++) {
        const DefinitionPair *pair = definition->make_symlinks->pdata[i];
        if (!erofs_writer_add_symlink(writer, pair->source, pair->target, 0, 0, volume_time(volume), error))
            return FALSE;
    }
    return TRUE;
}

static gboolean set_attributes(const Volume *volume, ErofsWriter *writer, GError **error) {
    GHashTableIter iter;
    gpointer name, value;

    if (!volume->attributes)
        return TRUE;
    g_hash_table_iter_init(&iter, volume->attributes);
    while (g_hash_table_iter_next(&iter, &name, &value))
        if (!erofs_writer_set_root_xattr(writer, name, value, error))
            return FALSE;
    return TRUE;
}

static gboolean label_of(const char *path, mode_t mode, GBytes **ret, gpointer data, GError **error) {
    return volume_label_of(data, path, mode, ret, error);
}

static gboolean set_labels(const Volume *volume, ErofsWriter *writer, GError **error) {
    return !volume->label_of || erofs_writer_label(writer, label_of, (gpointer) volume, error);
}

static gboolean is_cancelled(gconstpointer data) {
    return task_is_cancelled(data);
}

gboolean erofs_volume_write(const Volume *volume, const ErofsVolumeOptions *options, int fd, guint64 offset,
        guint64 *ret_size, GError **error) {
    char label[16];
    ErofsOptions erofs = {
            .compression = g_strcmp0(options->compression, "none") == 0 ? EROFS_COMPRESSION_NONE
                                                                        : EROFS_COMPRESSION_ZSTD,
            .level = MAX(options->level, 0),
            .label = label,
            .build_time = MAX(volume->epoch, 0),
            .clamp_mtime = volume->epoch,
            .threads = options->threads,
            .output_offset = offset,
            .max_size = options->max_size,
            .cancelled = is_cancelled,
            .cancelled_data = task_current(),
            .store = options->store,
            .maker = options->maker,
            .verity = options->verity,
    };

    g_strlcpy(label, volume->label, sizeof label);
    memcpy(erofs.uuid, volume->uuid.bytes, sizeof erofs.uuid);
    g_autoptr(ErofsWriter) writer = erofs_writer_new(fd, &erofs, error);
    return writer && add_sources(volume, writer, error) && add_made(volume, writer, error) &&
           set_attributes(volume, writer, error) && set_labels(volume, writer, error) && erofs_writer_finish(writer, ret_size, error);
}
