/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/disk/burn.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "events/step.h"
#include "format/archive/image-source.h"
#include "image/disk/gpt.h"
#include "text/size.h"

/* Also what is written last, so that nothing half-written looks like a disk. */
#define CHUNK_SIZE (4 * 1024 * 1024)
#define ALIGNMENT 4096

typedef struct {
    const BurnTarget *target;
    const char *image;
    gboolean plain;
    int fd;
    guint8 *chunk;   /* of the image */
    guint8 *reread;  /* of the device */
    guint64 written; /* size of the image, known when it has been read */
} Burn;

static void burn_clear(Burn *burn) {
    cleanup_fd(&burn->fd);
    free(burn->chunk);
    free(burn->reread);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Burn, burn_clear)

static gboolean fail_errno(const Burn *burn, const char *doing, guint64 offset, GError **error) {
    int saved = errno;
    return set_errno_error(error, saved, "Cannot %s %s at byte %" G_GUINT64_FORMAT, doing,
            burn->target->path, offset);
}

/* Past the page cache: faster for so much data, and what is read back comes from the device. */
static int open_device(const char *path) {
    int fd = open(path, O_RDWR | O_EXCL | O_DIRECT | O_CLOEXEC);
    return fd < 0 && errno == EINVAL ? open(path, O_RDWR | O_EXCL | O_CLOEXEC) : fd;
}

static gboolean check_room(const Burn *burn, guint64 end, GError **error) {
    if (end <= burn->target->size)
        return TRUE;
    g_autofree char *size = text_format_size(burn->target->size);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "The image does not fit on %s, which holds %s",
            burn->target->path, size);
    return FALSE;
}

static gsize round_up(const Burn *burn, gsize length) {
    gsize sector = burn->target->sector_size;
    return (length + sector - 1) / sector * sector;
}

/* The device decides how: by writing zeros, or by forgetting what was there. */
static gboolean write_zeros(const Burn *burn, guint64 from, guint64 to, GError **error) {
    guint64 range[2] = {from, to - from};
    if (from < to && ioctl(burn->fd, BLKZEROOUT, range) < 0)
        return fail_errno(burn, "write zeros to", from, error);
    return TRUE;
}

static gboolean write_chunk(const Burn *burn, guint64 offset, gsize length, GError **error) {
    gsize padded = round_up(burn, length);
    memset(burn->chunk + length, 0, padded - length);
    if (pwrite_all(burn->fd, burn->chunk, padded, offset, error))
        return TRUE;
    g_prefix_error(error, "Cannot write to %s: ", burn->target->path);
    return FALSE;
}

/* Everything but the first chunk, which is written last. */
static gboolean write_image(Burn *burn, EventsStep *step, GError **error) {
    g_autoptr(ImageSource) source = image_source_open(burn->image, burn->plain, error);
    if (!source || !check_room(burn, image_source_size(source), error))
        return FALSE;
    guint64 whole[2] = {0, burn->target->size};
    (void) ioctl(burn->fd, BLKDISCARD, whole);
    guint64 at = 0, zeros_from = 0;
    for (;;) {
        gsize length;
        gboolean zero;
        if (!image_source_read(source, burn->chunk, CHUNK_SIZE, &length, &zero, error))
            return FALSE;
        if (length == 0)
            break;
        if (!check_room(burn, at + round_up(burn, length), error))
            return FALSE;
        if (!zero && at > 0) {
            if (!write_zeros(burn, zeros_from, at, error) || !write_chunk(burn, at, length, error))
                return FALSE;
            zeros_from = at + round_up(burn, length);
        }
        at += length;
        events_step_progress(step, image_source_fraction(source), at);
    }
    burn->written = at;
    return write_zeros(burn, zeros_from, MAX(zeros_from, round_up(burn, at)), error);
}

static gboolean write_first_chunk(Burn *burn, GError **error) {
    g_autoptr(ImageSource) source = image_source_open(burn->image, burn->plain, error);
    gsize length;
    gboolean zero;
    if (!source || !image_source_read(source, burn->chunk, CHUNK_SIZE, &length, &zero, error))
        return FALSE;
    if (zero)
        memset(burn->chunk, 0, length);
    if (!write_chunk(burn, 0, length, error))
        return FALSE;
    return fsync(burn->fd) == 0 || fail_errno(burn, "flush", 0, error);
}

static gboolean verify(Burn *burn, EventsStep *step, GError **error) {
    g_autoptr(ImageSource) source = image_source_open(burn->image, burn->plain, error);
    if (!source)
        return FALSE;
    (void) ioctl(burn->fd, BLKFLSBUF, 0);
    for (guint64 at = 0;;) {
        gsize length;
        gboolean zero;
        if (!image_source_read(source, burn->chunk, CHUNK_SIZE, &length, &zero, error))
            return FALSE;
        if (length == 0)
            return TRUE;
        if (zero)
            memset(burn->chunk, 0, length);
        if (!pread_all(burn->fd, burn->reread, round_up(burn, length), at, error)) {
            g_prefix_error(error, "Cannot read back from %s: ", burn->target->path);
            return FALSE;
        }
        if (memcmp(burn->chunk, burn->reread, length) != 0) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "%s does not hold what was written to it (near byte %" G_GUINT64_FORMAT
                    "): the device is broken, or says it is larger than it is",
                    burn->target->path, at);
            return FALSE;
        }
        at += length;
        events_step_progress(step, image_source_fraction(source), at);
    }
}

static gboolean write_and_verify(Burn *burn, GError **error) {
    g_autoptr(EventsStep) writing = events_step_begin(NULL, "Writing to %s", burn->target->path);
    if (!write_image(burn, writing, error) || !write_first_chunk(burn, error))
        return FALSE;
    g_autofree char *size = text_format_size(burn->written);
    events_step_done(g_steal_pointer(&writing), "%s", size);
    g_autoptr(EventsStep) verifying = events_step_begin(NULL, "Reading back from %s", burn->target->path);
    if (!verify(burn, verifying, error))
        return FALSE;
    events_step_done(g_steal_pointer(&verifying), NULL);
    return TRUE;
}

static gboolean check_sectors(const BurnTarget *target, guint sector_size, GError **error) {
    if (target->sector_size == sector_size)
        return TRUE;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
            "%s has sectors of %u bytes, the image's partition table is for sectors of %u: build it with "
            "SectorSize=%u",
            target->path, target->sector_size, sector_size, target->sector_size);
    return FALSE;
}

gboolean burn_write(
        const BurnTarget *target, const char *image, gboolean plain, guint sector_size, GError **error) {
    g_auto(Burn) burn = {.target = target, .image = image, .plain = plain, .fd = -1};
    gboolean moved;
    if (!check_sectors(target, sector_size, error))
        return FALSE;
    burn.fd = open_device(target->path);
    if (burn.fd < 0)
        return fail_errno(&burn, "open", 0, error);
    burn.chunk = aligned_alloc(ALIGNMENT, CHUNK_SIZE);
    burn.reread = aligned_alloc(ALIGNMENT, CHUNK_SIZE);
    if (!burn.chunk || !burn.reread)
        return fail_errno(&burn, "get memory for", 0, error);
    if (!write_and_verify(&burn, error))
        return FALSE;
    cleanup_fd(&burn.fd);
    return burn.written >= target->size || gpt_move_backup(target->path, &moved, error);
}
