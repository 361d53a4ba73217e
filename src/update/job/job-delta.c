/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Deltas of what a job installs. Nothing that comes of them is believed. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "base/sha256.h"
#include "events/events.h"
#include "events/task.h"
#include "format/erofs/erofs-reader.h"
#include "text/version.h"
#include "update/job/job.h"
#include "update/source/delta-install.h"
#include "update/transfer/error.h"

#define BLOCK VERITY_BLOCK_SIZE
#define DIRECTORY "/var/lib/particleos-update"

static void say_why(const char *name, const GError *failure) {
    events_warning("%s is of no use, and the update goes on without: %s", name, failure->message);
}

void jobs_forget_deltas(const Update *update) {
    g_autofree char *directory = machine_path(update->machine, DIRECTORY);

    delta_forget(directory);
}

/* A delta that fits INSTANCE and has less than WANTED bytes; NULL: there is none. RET_NAME (borrowed): what it is called. */
static FetchedDelta *fetch(
        const JobDelta *job, const Instance *instance, guint64 wanted, const char **ret_name) {
    UpdateSource *source = job->job->source;
    g_autoptr(GPtrArray) offers = delta_offers(source, job->job->file);
    g_autofree char *directory = machine_path(job->update->machine, DIRECTORY);

    for (guint i = 0; i < offers->len; i++) {
        const DeltaOffer *offer = offers->pdata[i];
        g_autoptr(GError) failure = NULL;
        FetchedDelta *fetched = NULL;
        guint64 size = 0;
        if (version_compare(offer->version, instance->fields.version) != 0)
            continue;
        if (update_source_measure(source, offer->name, &size, &failure) && size < wanted)
            fetched = delta_fetch(source, offer->name, size, directory, job->progress, job->data, &failure);
        *ret_name = offer->name;
        if (fetched)
            return fetched;
        if (failure)
            say_why(offer->name, failure);
    }
    return NULL;
}

static gboolean fits(const FetchedDelta *fetched, DeltaKind kind, guint64 size, const guint8 *new_id, GError **error) {
    const Delta *delta = fetched->delta;

    return (delta->kind == kind && delta->new_size == size && memcmp(delta->new_id, new_id, DELTA_ID_SIZE) == 0) ||
           update_fail(error, UPDATE_ERROR_UNTRUSTED, "it is a delta of something else");
}

/* ---- volumes ---- */

typedef struct {
    const JobDelta *job;
    BlockInstall *install;
    guint64 done, all;
    gboolean broken; /* the disk is */
} Volume;

static gboolean wants_piece(gpointer data, const DeltaPiece *piece) {
    const Volume *volume = data;

    return block_install_wants(volume->install, piece->offset / BLOCK, piece->stored / BLOCK);
}

static gboolean put_piece(
        gpointer data, const DeltaPiece *piece, guint64 at, const guint8 *bytes, gsize size, GError **error) {
    Volume *volume = data;

    if (task_is_cancelled(task_current()))
        return update_fail(error, UPDATE_ERROR_NETWORK, "cancelled");
    volume->done = MIN(volume->done + size, volume->all);
    if (volume->job->progress)
        volume->job->progress(volume->job->data, volume->done, volume->all);
    volume->broken = !block_install_offer(volume->install, (piece->offset + at) / BLOCK, bytes, size / BLOCK, error);
    return !volume->broken;
}

/* The root hash of INSTANCE is the one that the delta is from: its halves are the UUIDs of slots. */
static gboolean is_from(const Delta *delta, const Instance *instance, GError **error) {
    Uuid first, last;

    verity_partition_uuids(delta->old_id, first.bytes, last.bytes);
    return uuid_is_equal(&first, &instance->slot->uuid) ||
           update_fail(error, UPDATE_ERROR_UNTRUSTED, "it is a delta from something else than what is here");
}

static gboolean apply_to_volume(
        Volume *volume, const FetchedDelta *fetched, const Instance *instance, const guint8 *root_hash, guint64 size,
        GError **error) {
    DeltaSources sources = {.old_fd = volume->job->job->target->disk->fd,
            .old_offset = instance->slot->offset,
            .old_size = instance->slot->size};
    DeltaReport report;

    if (!fits(fetched, DELTA_VOLUME, size, root_hash, error) || !is_from(fetched->delta, instance, error))
        return FALSE;
    g_autoptr(ErofsImage) image = erofs_image_new_fd(sources.old_fd, sources.old_offset, sources.old_size, error);
    sources.old_image = image;
    if (!image || !delta_apply(fetched->delta, fetched->fd, &sources, 0, wants_piece, put_piece, volume, &report, error))
        return FALSE;
    if (report.failed > 0)
        events_debug("%u pieces of %u have another length here", report.failed, report.failed + report.pieces);
    return TRUE;
}

gboolean job_supply_blocks(gpointer data, BlockInstall *install, guint64 wanted, GError **error) {
    const JobDelta *job = data;
    guint8 root_hash[VERITY_DIGEST_SIZE];
    VeritySuperblock superblock;
    const Job *tree = jobs_find(job->jobs,
            job->job->transfer->type.role == PARTITION_USR ? PARTITION_USR_VERITY : PARTITION_ROOT_VERITY);

    if (!verity_area_check(tree->content->data, tree->content->len, &superblock, root_hash, error))
        return FALSE;
    for (guint i = 0; i < job->job->target->instances->len; i++) {
        const Instance *instance = job->job->target->instances->pdata[i];
        Volume volume = {.job = job, .install = install, .all = wanted};
        g_autoptr(GError) failure = NULL;
        const char *name = NULL;
        if (!instance->slot || instance->slot->number == job->job->slot)
            continue;
        g_autoptr(FetchedDelta) fetched = fetch(job, instance, wanted, &name);
        if (!fetched)
            continue;
        if (apply_to_volume(&volume, fetched, instance, root_hash, superblock.data_blocks * BLOCK, &failure))
            return TRUE;
        if (volume.broken || task_is_cancelled(task_current())) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        say_why(name, failure);
    }
    return TRUE;
}

/* ---- files ---- */

typedef struct {
    const JobDelta *job;
    int fd;
} File;

static gboolean wants_all(gpointer data, const DeltaPiece *piece) {
    return TRUE;
}

static gboolean write_piece(
        gpointer data, const DeltaPiece *piece, guint64 at, const guint8 *bytes, gsize size, GError **error) {
    const File *file = data;

    if (task_is_cancelled(task_current()))
        return update_fail(error, UPDATE_ERROR_NETWORK, "cancelled");
    if (file->job->progress)
        file->job->progress(file->job->data, piece->offset + at + size, file->job->job->size);
    return pwrite_all(file->fd, bytes, size, piece->offset + at, error);
}

/* The volume that comes with the file, as it lies in its slot; NULL: there is none. */
static ErofsImage *open_volume(const GPtrArray *jobs, GError **error) {
    const Job *volume = jobs_find(jobs, PARTITION_USR);

    return volume && volume->target->disk && volume->slot != G_MAXUINT
                   ? erofs_image_new_fd(volume->target->disk->fd, volume->offset, volume->room, error)
                   : NULL;
}

static gboolean apply_to_file(File *file, const FetchedDelta *fetched, const Instance *instance, GError **error) {
    const Job *job = file->job->job;
    g_autofree char *path = g_build_filename(job->target->directory, instance->name, NULL);
    AUTO_FD old = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    DeltaSources sources = {.old_fd = old, .old_size = instance->size};
    guint8 digest[SHA256_SIZE];
    DeltaReport report;

    if (old < 0)
        return set_errno_error(error, errno, "Cannot open %s", path);
    if (!fits(fetched, DELTA_FILE, job->size, job->digest, error) ||
            !sha256_fd_range(old, 0, instance->size, digest, error))
        return FALSE;
    if (memcmp(digest, fetched->delta->old_id, SHA256_SIZE) != 0)
        return update_fail(error, UPDATE_ERROR_UNTRUSTED, "it is a delta from something else than what is here");
    g_autoptr(ErofsImage) volume = open_volume(file->job->jobs, NULL);
    sources.new_image = volume;
    if (ftruncate(file->fd, 0) < 0)
        return set_errno_error(error, errno, "Cannot empty the file");
    /* An old initrd is unpacked once, not once per thread. */
    if (!delta_apply(fetched->delta, fetched->fd, &sources, 1, wants_all, write_piece, file, &report, error) ||
            !sha256_fd_range(file->fd, 0, job->size, digest, error))
        return FALSE;
    return memcmp(digest, job->digest, SHA256_SIZE) == 0 ||
           update_fail(error, UPDATE_ERROR_UNTRUSTED, "what comes of it is not what the signed manifest says");
}

gboolean job_make_file(const JobDelta *delta, int fd, guint64 wanted, guint64 *ret_size) {
    const Job *job = delta->job;

    for (guint i = 0; job->digest && !job->zstd && i < job->target->instances->len; i++) {
        const Instance *instance = job->target->instances->pdata[i];
        File file = {delta, fd};
        g_autoptr(GError) failure = NULL;
        const char *name = NULL;
        g_autoptr(FetchedDelta) fetched = fetch(delta, instance, wanted, &name);
        if (!fetched)
            continue;
        *ret_size = fetched->size;
        if (apply_to_file(&file, fetched, instance, &failure))
            return TRUE;
        say_why(name, failure);
        ignore_failure(ftruncate(fd, 0) == 0);
    }
    return FALSE;
}
