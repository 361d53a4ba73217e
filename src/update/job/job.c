/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/job/job.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/sha256.h"
#include "text/size.h"
#include "text/version.h"
#include "update/transfer/error.h"

/* Beyond the file itself a FAT needs clusters for a directory. */
#define SPARE (64u * 1024)

static void job_free(gpointer data) {
    Job *job = data;

    pattern_fields_clear(&job->fields);
    g_free(job->name);
    g_clear_pointer(&job->content, g_byte_array_unref);
    g_free(job);
}

/* What the transfer file sets counts more than what the name of the source says. */
static void fill_fields(Job *job, const char *version) {
    const PatternFields *set = &job->transfer->fields;
    PatternFields *fields = &job->fields;

    /* One version may be written in several ways; all targets get the same one. */
    g_free(fields->version);
    fields->version = g_strdup(version);
    if (set->has_uuid) {
        fields->has_uuid = TRUE;
        fields->uuid = set->uuid;
    }
    if (set->has_flags) {
        fields->has_flags = TRUE;
        fields->flags = set->flags;
    }
    fields->mode = set->mode >= 0 ? set->mode : fields->mode;
    fields->no_auto = set->no_auto >= 0 ? set->no_auto : fields->no_auto;
    fields->read_only = set->read_only >= 0 ? set->read_only : fields->read_only;
    fields->grow = set->grow >= 0 ? set->grow : fields->grow;
    fields->tries_left = set->tries_left >= 0 ? set->tries_left : fields->tries_left >= 0 ? fields->tries_left : 3;
    fields->tries_done = set->tries_done >= 0 ? set->tries_done : MAX(fields->tries_done, 0);
    if (job->digest) {
        memcpy(fields->sha256, job->digest, SHA256_SIZE);
        fields->has_sha256 = TRUE;
    }
}

/* Whether what is there under the version is what the source has. Its name was given after it was checked; but another
 * program may have given it, and power may have failed. */
static gboolean is_right(const Job *job, const Instance *instance) {
    guint8 digest[SHA256_SIZE];

    if (!job->digest || job->zstd)
        return FALSE;
    if (instance->slot)
        return job->size <= instance->slot->size &&
               sha256_fd_range(job->target->disk->fd, instance->slot->offset, job->size, digest, NULL) &&
               memcmp(digest, job->digest, SHA256_SIZE) == 0;
    g_autofree char *path = g_build_filename(job->target->directory, instance->name, NULL);
    return sha256_file(path, digest, NULL) && memcmp(digest, job->digest, SHA256_SIZE) == 0;
}

static gboolean is_name(const char *name) {
    return *name && strlen(name) <= 255 && !g_str_equal(name, ".") && !g_str_equal(name, "..") && !strchr(name, '/');
}

static Job *plan(Update *update, guint number, const char *version, GError **error) {
    Job *job = g_new0(Job, 1);

    pattern_fields_init(&job->fields);
    job->transfer = update->transfers->pdata[number];
    job->target = update->targets->pdata[number];
    job->source = update->of->pdata[number];
    job->slot = G_MAXUINT;
    job->file = update_pick_file(update, number, version, &job->fields);
    gboolean ok = job->file && update_source_measure(job->source, job->file, &job->size, error);
    if (!job->file)
        update_fail(error, UPDATE_ERROR_UNTRUSTED, "The source has no file of %s for %s", version, job->transfer->name);
    if (ok) {
        job->digest = update_source_find_digest(job->source, job->file);
        job->zstd = update_is_zstd(job->file);
        job->content_size = job->zstd ? 0 : job->size;
        fill_fields(job, version);
        job->name = pattern_format(job->transfer->target_patterns->pdata[0], &job->fields, error);
        ok = job->name != NULL;
    }
    if (ok && !is_name(job->name))
        ok = update_fail(error, UPDATE_ERROR_CONFIGURATION, "%s: \"%s\" is no name", job->transfer->path, job->name);
    if (ok && job->size == 0)
        ok = update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s is empty", job->file);
    const Instance *instance = ok ? target_find(job->target, version) : NULL;
    if (instance && is_right(job, instance)) {
        job->present = TRUE;
        if (instance->slot) {
            job->slot = instance->slot->number;
            job->offset = instance->slot->offset;
            job->room = instance->slot->size;
        }
    }
    if (ok)
        return job;
    job_free(job);
    return NULL;
}

GPtrArray *jobs_plan(Update *update, const char *version, GError **error) {
    g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(job_free);

    for (guint i = 0; i < update->transfers->len; i++) {
        Job *job = plan(update, i, version, error);
        if (!job)
            return NULL;
        g_ptr_array_add(jobs, job);
    }
    return g_steal_pointer(&jobs);
}

Job *jobs_find(const GPtrArray *jobs, PartitionRole role) {
    for (guint i = 0; i < jobs->len; i++) {
        Job *job = jobs->pdata[i];
        if (job->transfer->target == TRANSFER_TARGET_PARTITION && job->transfer->type.role == role)
            return job;
    }
    return NULL;
}

gboolean job_is_tree(const Job *job) {
    return job->transfer->target == TRANSFER_TARGET_PARTITION &&
           (job->transfer->type.role == PARTITION_USR_VERITY || job->transfer->type.role == PARTITION_ROOT_VERITY);
}

gboolean job_is_signature(const Job *job) {
    return job->transfer->target == TRANSFER_TARGET_PARTITION &&
           (job->transfer->type.role == PARTITION_USR_VERITY_SIG ||
                   job->transfer->type.role == PARTITION_ROOT_VERITY_SIG);
}

PartitionRole job_volume_role(PartitionRole role) {
    switch (role) {
    case PARTITION_USR:
    case PARTITION_USR_VERITY:
    case PARTITION_USR_VERITY_SIG:
        return PARTITION_USR;
    case PARTITION_ROOT:
    case PARTITION_ROOT_VERITY:
    case PARTITION_ROOT_VERITY_SIG:
        return PARTITION_ROOT;
    default:
        return PARTITION_OTHER;
    }
}

const guint8 *job_tree(const GPtrArray *jobs, const Job *job, VeritySuperblock *ret) {
    guint8 root_hash[VERITY_DIGEST_SIZE];
    PartitionRole role = job->transfer->type.role;

    if (job->transfer->target != TRANSFER_TARGET_PARTITION || (role != PARTITION_USR && role != PARTITION_ROOT))
        return NULL;
    const Job *tree = jobs_find(jobs, role == PARTITION_USR ? PARTITION_USR_VERITY : PARTITION_ROOT_VERITY);
    if (!tree || !tree->content || !verity_area_check(tree->content->data, tree->content->len, ret, root_hash, NULL))
        return NULL;
    return tree->content->data;
}

gboolean jobs_check_room(const Update *update, const GPtrArray *jobs, GError **error) {
    for (guint i = 0; i < jobs->len; i++) {
        const Job *job = jobs->pdata[i];
        struct statvfs info;
        if (job->present || !job->target->directory)
            continue;
        g_autofree char *parent = g_strdup(job->target->directory);
        while (statvfs(parent, &info) < 0) {
            char *up = g_path_get_dirname(parent);
            if (errno != ENOENT || g_str_equal(up, parent)) {
                g_free(up);
                return set_errno_error(error, errno, "Cannot ask for the room in %s", job->target->directory);
            }
            g_free(parent);
            parent = up;
        }
        guint64 room = (guint64) info.f_bavail * info.f_frsize + update_removable_size(update, i, job->fields.version);
        g_autofree char *has = text_format_size(room), *needs = text_format_size(job->size + SPARE);
        if (room < job->size + SPARE)
            return update_fail(error, UPDATE_ERROR_SPACE,
                    "%s has %s to spare, and %s needs %s. Remove what does not belong there, then update again",
                    job->target->directory, has, job->name, needs);
    }
    return TRUE;
}
