/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Content into slots and files. Nothing of it counts before it has its name. */

#include "update/job/job.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "base/sha256.h"
#include "update/transfer/error.h"

#define BLOCK VERITY_BLOCK_SIZE
#define DEFAULT_MODE 0644

/* ---- slots ---- */

/* The content is what the manifest says, as the disk gives it back. */
static gboolean check_slot(const Job *job, GError **error) {
    guint8 digest[SHA256_SIZE];
    int fd = job->target->disk->fd;

    if (fdatasync(fd) < 0)
        return set_errno_error(error, errno, "Cannot flush the disk");
    (void) posix_fadvise(fd, (off_t) job->offset, (off_t) job->size, POSIX_FADV_DONTNEED);
    if (!job->digest || job->zstd)
        return TRUE;
    if (!sha256_fd_range(fd, job->offset, job->size, digest, error))
        return FALSE;
    return memcmp(digest, job->digest, SHA256_SIZE) == 0 ||
           update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s in its slot is not what the signed manifest says", job->file);
}

/* A tree or signature that was fetched already, and zeros behind it. */
static gboolean install_content(const Job *job, BlockResult *result, GError **error) {
    static const guint8 zeros[BLOCK];
    const GByteArray *content = job->content;
    guint8 bytes[BLOCK];
    int fd = job->target->disk->fd;

    for (guint64 at = 0; at < job->size; at += BLOCK) {
        gsize n = MIN(job->size - at, BLOCK);
        const guint8 *wanted = at + n <= content->len ? content->data + at : zeros;
        if (!pread_all(fd, bytes, n, job->offset + at, error))
            return FALSE;
        if (memcmp(bytes, wanted, n) == 0)
            continue;
        if (!pwrite_all(fd, wanted, n, job->offset + at, error)) {
            g_prefix_error(error, "Writing the slot of %s: ", job->name);
            return FALSE;
        }
        result->written += n;
    }
    return TRUE;
}

/* Blocks of all versions that are here: each volume with its tree, but not the slot that is about to be written. */
static void add_sources(const Update *update, const Job *job, BlockSources *sources, GPtrArray *areas) {
    PartitionRole tree_role = job->transfer->type.role == PARTITION_USR ? PARTITION_USR_VERITY : PARTITION_ROOT_VERITY;

    for (guint i = 0; i < job->target->instances->len; i++) {
        const Instance *instance = job->target->instances->pdata[i];
        GByteArray *area = g_byte_array_new();
        if (!instance->slot || instance->slot->number == job->slot) {
            g_byte_array_unref(area);
            continue;
        }
        g_ptr_array_add(areas, area);
        for (guint j = 0; j < update->targets->len; j++) {
            const Target *target = update->targets->pdata[j];
            const Instance *tree = target->disk && target->transfer->type.role == tree_role
                                           ? target_find(target, instance->fields.version)
                                           : NULL;
            if (!tree || tree->slot->size > G_MAXUINT32)
                continue;
            g_byte_array_set_size(
                    area, (guint) MIN(tree->slot->size, verity_hash_area_size(instance->slot->size / BLOCK)));
            if (pread_up_to(target->disk->fd, area->data, area->len, tree->slot->offset) != (gssize) area->len)
                g_byte_array_set_size(area, 0);
        }
        block_sources_add(sources, job->target->disk->fd, instance->slot->offset, instance->slot->size,
                area->len > 0 ? area->data : NULL, area->len);
    }
}

static void free_area(gpointer area) {
    g_byte_array_unref(area);
}

static gboolean install_blocks(Update *update, const GPtrArray *jobs, Job *job, BlockResult *result,
        BlockProgress progress, gpointer data, GError **error) {
    g_autoptr(GPtrArray) areas = g_ptr_array_new_with_free_func(free_area);
    BlockInput input = {.source = job->source,
            .name = job->file,
            .size = job->size,
            .fd = job->target->disk->fd,
            .offset = job->offset};

    JobDelta delta = {update, jobs, job, progress, data};
    input.supply = update->no_deltas ? NULL : job_supply_blocks;
    input.supply_data = &delta;
    input.area = job_tree(jobs, job, &input.superblock);
    g_autoptr(BlockSources) sources = block_sources_new(&input.superblock);
    add_sources(update, job, sources, areas);
    return blocks_install(&input, sources, progress, data, result, error);
}

gboolean job_install(Update *update, GPtrArray *jobs, Job *job, BlockResult *result, BlockProgress progress,
        gpointer data, GError **error) {
    VeritySuperblock superblock;
    guint64 size;

    *result = (BlockResult){0};
    if (!job->target->disk)
        return job_install_file(update, jobs, job, result, progress, data, error);
    if (job->content)
        return install_content(job, result, error) && check_slot(job, error);
    if (!job->zstd && job_tree(jobs, job, &superblock))
        return install_blocks(update, jobs, job, result, progress, data, error) && check_slot(job, error);
    if (!job_fetch_whole(job, job->target->disk->fd, job->offset, job->room, progress, data, &size, error))
        return FALSE;
    result->wanted = job->size;
    result->written = job->content_size = size;
    return check_slot(job, error);
}

/* ---- files ---- */

static char *partial_path(const Job *job) {
    g_autofree char *name = g_strconcat(FILE_PARTIAL, job->name, NULL);

    return g_build_filename(job->target->directory, name, NULL);
}

/* What an interrupted update left of it goes on. */
typedef struct {
    Job *job;
    int fd;
    guint64 begin;
    BlockProgress progress;
    gpointer data;
    BlockResult *result;
} Rest;

static gboolean on_rest(gpointer data, guint64 offset, const guint8 *bytes, gsize size, GError **error) {
    Rest *rest = data;

    if (!pwrite_all(rest->fd, bytes, size, offset, error))
        return FALSE;
    rest->result->written += size;
    if (rest->progress)
        rest->progress(rest->data, offset + size, rest->job->size);
    return TRUE;
}

/* TRUE when the file is whole and right afterwards; without ERROR set when it has to begin anew. */
static gboolean continue_file(
        Job *job, int fd, BlockResult *result, BlockProgress progress, gpointer data, GError **error) {
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(HttpRange));
    Rest rest = {job, fd, 0, progress, data, result};
    guint8 digest[SHA256_SIZE];
    struct stat info;

    if (job->zstd || !job->digest || fstat(fd, &info) < 0 || info.st_size == 0 || (guint64) info.st_size > job->size)
        return FALSE;
    rest.begin = (guint64) info.st_size - (guint64) info.st_size % BLOCK;
    HttpRange range = {rest.begin, job->size - rest.begin};
    if (range.size > 0)
        g_array_append_val(ranges, range);
    result->kept = rest.begin;
    result->wanted = range.size;
    return update_source_fetch(job->source, job->file, job->size, ranges, on_rest, &rest, error) &&
           sha256_fd_range(fd, 0, job->size, digest, error) && memcmp(digest, job->digest, SHA256_SIZE) == 0;
}

static gboolean finish_file(const Job *job, int fd, GError **error) {
    mode_t mode = job->fields.mode >= 0 ? (mode_t) job->fields.mode : DEFAULT_MODE;
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};

    /* A FAT has neither. */
    (void) fchmod(fd, mode);
    if (job->fields.mtime >= 0) {
        times[1].tv_sec = job->fields.mtime / G_USEC_PER_SEC;
        times[1].tv_nsec = job->fields.mtime % G_USEC_PER_SEC * 1000;
        (void) futimens(fd, times);
    }
    return fsync(fd) == 0 || set_errno_error(error, errno, "Cannot flush %s", job->name);
}

/* TRUE: the file is whole, out of a delta. */
static gboolean install_delta(Update *update, const GPtrArray *jobs, const Job *job, int fd, BlockResult *result,
        BlockProgress progress, gpointer data) {
    JobDelta delta = {update, jobs, job, progress, data};
    struct stat info;
    guint64 fetched = 0;

    if (update->no_deltas || fstat(fd, &info) < 0 || (guint64) info.st_size >= job->size ||
            !job_make_file(&delta, fd, job->size - (guint64) info.st_size, &fetched))
        return FALSE;
    *result = (BlockResult){.made = job->size, .wanted = fetched, .written = job->size};
    return TRUE;
}

gboolean job_install_file(Update *update, const GPtrArray *jobs, Job *job, BlockResult *result, BlockProgress progress,
        gpointer data, GError **error) {
    g_autofree char *path = partial_path(job);
    g_autoptr(GError) failure = NULL;
    guint64 size = job->size;

    if (g_mkdir_with_parents(job->target->directory, 0755) < 0)
        return set_errno_error(error, errno, "Cannot make %s", job->target->directory);
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return set_errno_error(error, errno, "Cannot open %s", path);
    gboolean whole = install_delta(update, jobs, job, fd, result, progress, data) ||
                     continue_file(job, fd, result, progress, data, &failure);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (!whole) {
        if (ftruncate(fd, 0) < 0)
            return set_errno_error(error, errno, "Cannot empty %s", path);
        *result = (BlockResult){.wanted = job->size};
        if (!job_fetch_whole(job, fd, 0, G_MAXINT64, progress, data, &size, error)) {
            /* What is not right is not continued. What was interrupted is. */
            if (error && *error && (*error)->code != UPDATE_ERROR_NETWORK)
                (void) unlink(path);
            return FALSE;
        }
        result->written = size;
    }
    if (ftruncate(fd, (off_t) size) < 0)
        return set_errno_error(error, errno, "Cannot set the size of %s", path);
    return finish_file(job, fd, error);
}

/* CurrentSymlink= leads to what is the newest. */
static gboolean set_symlink(const Job *job, GError **error) {
    const char *name = job->transfer->current_symlink;
    g_autofree char *base = g_path_get_basename(name);
    g_autofree char *path = g_build_filename(job->target->directory, base, NULL);
    g_autofree char *fresh = g_strconcat(path, ".new", NULL);

    (void) unlink(fresh);
    if (symlink(job->name, fresh) < 0 || rename(fresh, path) < 0)
        return set_errno_error(error, errno, "CurrentSymlink=: cannot make %s", path);
    return TRUE;
}

gboolean job_name_file(const Job *job, GError **error) {
    g_autofree char *from = partial_path(job);
    g_autofree char *to = g_build_filename(job->target->directory, job->name, NULL);
    AUTO_FD directory = open(job->target->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0 || rename(from, to) < 0)
        return set_errno_error(error, errno, "Cannot rename %s to %s", from, to);
    if (job->transfer->current_symlink && !set_symlink(job, error))
        return FALSE;
    /* A FAT keeps the name in the directory, and more elsewhere. */
    if (fsync(directory) < 0 || syncfs(directory) < 0)
        return set_errno_error(error, errno, "Cannot flush %s", job->target->directory);
    return TRUE;
}
