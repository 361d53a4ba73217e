/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/archive/image-source.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"

#define BLOCK_SIZE (256 * 1024)

typedef struct archive ArchiveReader;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ArchiveReader, archive_read_free)

struct ImageSource {
    char *path;
    int fd;
    guint64 file_size;
    guint64 at;             /* in the image */
    ArchiveReader *archive; /* NULL: not compressed */
};

static gboolean fail_errno(const ImageSource *source, GError **error) {
    int saved = errno;
    return set_errno_error(error, saved, "Cannot read %s", source->path);
}

static gboolean fail_archive(const ImageSource *source, GError **error) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Cannot decompress %s: %s", source->path,
            archive_error_string(source->archive));
    return FALSE;
}

/* One stream of bytes without any archive format around it. */
static gboolean open_archive(ImageSource *source, GError **error) {
    struct archive_entry *entry;
    ArchiveReader *archive = source->archive = archive_read_new();
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_lz4(archive);
    archive_read_support_filter_lzma(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_format_raw(archive);
    if (archive_read_open_fd(archive, source->fd, BLOCK_SIZE) != ARCHIVE_OK ||
            archive_read_next_header(archive, &entry) != ARCHIVE_OK)
        return fail_archive(source, error);
    return TRUE;
}

ImageSource *image_source_open(const char *path, gboolean plain, GError **error) {
    g_autoptr(ImageSource) source = g_new0(ImageSource, 1);
    struct stat st;
    source->path = g_strdup(path);
    source->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0 || fstat(source->fd, &st) < 0) {
        fail_errno(source, error);
        return NULL;
    }
    source->file_size = st.st_size;
    if (!plain && !open_archive(source, error))
        return NULL;
    return g_steal_pointer(&source);
}

void image_source_free(ImageSource *source) {
    if (!source)
        return;
    g_clear_pointer(&source->archive, archive_read_free);
    cleanup_fd(&source->fd);
    g_free(source->path);
    g_free(source);
}

guint64 image_source_size(const ImageSource *source) {
    return source->archive ? 0 : source->file_size;
}

static gboolean is_zero(const guint8 *data, gsize length) {
    return length == 0 || (data[0] == 0 && memcmp(data, data + 1, length - 1) == 0);
}

static gboolean read_plain(ImageSource *source, guint8 *buffer, gsize size, gsize *ret_length,
        gboolean *ret_zero, GError **error) {
    gsize length = MIN(size, source->file_size - source->at);
    *ret_length = length;
    *ret_zero = TRUE;
    if (length == 0)
        return TRUE;
    off_t data = lseek(source->fd, source->at, SEEK_DATA);
    if ((data < 0 && errno == ENXIO) || (data >= 0 && (guint64) data >= source->at + length))
        return TRUE;
    if (!pread_all(source->fd, buffer, length, source->at, error)) {
        g_prefix_error(error, "Cannot read %s: ", source->path);
        return FALSE;
    }
    *ret_zero = is_zero(buffer, length);
    return TRUE;
}

static gboolean read_archive(ImageSource *source, guint8 *buffer, gsize size, gsize *ret_length,
        gboolean *ret_zero, GError **error) {
    gsize done = 0;
    while (done < size) {
        la_ssize_t n = archive_read_data(source->archive, buffer + done, size - done);
        if (n < 0)
            return fail_archive(source, error);
        if (n == 0)
            break;
        done += n;
    }
    *ret_length = done;
    *ret_zero = is_zero(buffer, done);
    return TRUE;
}

gboolean image_source_read(ImageSource *source, guint8 *buffer, gsize size, gsize *ret_length,
        gboolean *ret_zero, GError **error) {
    gboolean good = source->archive ? read_archive(source, buffer, size, ret_length, ret_zero, error)
                                    : read_plain(source, buffer, size, ret_length, ret_zero, error);
    if (good)
        source->at += *ret_length;
    return good;
}

double image_source_fraction(const ImageSource *source) {
    guint64 done = source->archive ? (guint64) archive_filter_bytes(source->archive, -1) : source->at;
    return source->file_size > 0 ? MIN(1.0, (double) done / source->file_size) : 1.0;
}
