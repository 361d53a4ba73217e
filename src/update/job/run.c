/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The course of an update. */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "events/events.h"
#include "events/step.h"
#include "text/size.h"
#include "update/job/job.h"
#include "update/transfer/error.h"

/* ---- progress ---- */

typedef struct {
    EventsStep *step;
    gint64 start;
} Watch;

static void on_progress(gpointer data, guint64 arrived, guint64 wanted) {
    Watch *watch = data;
    gint64 elapsed = g_get_monotonic_time() - watch->start;

    if (wanted == 0)
        return;
    g_autofree char *now = text_format_size(arrived), *all = text_format_size(wanted);
    double rate = elapsed > 0 ? (double) arrived * G_USEC_PER_SEC / (double) elapsed : 0;
    g_autofree char *speed = text_format_size((guint64) rate);
    guint64 left = rate > 0 ? (guint64) ((double) (wanted - MIN(arrived, wanted)) / rate) : 0;
    events_step_update(watch->step, "%s of %s, %s/s, %" G_GUINT64_FORMAT " s left", now, all, speed, left);
    events_step_progress(watch->step, (double) arrived / (double) wanted, arrived);
}

static gboolean install_one(Update *update, GPtrArray *jobs, Job *job, UpdateResult *ret, GError **error) {
    BlockResult result = {0};
    g_autoptr(EventsStep) step = events_step_begin(NULL, "Installing %s", job->name);
    Watch watch = {step, g_get_monotonic_time()};

    if (!job_install(update, jobs, job, &result, on_progress, &watch, error))
        return FALSE;
    g_autofree char *kept = text_format_size(result.kept), *wanted = text_format_size(result.wanted);
    g_autofree char *made = text_format_size(result.made);
    events_step_done(g_steal_pointer(&step), "%s fetched, %s were here%s%s%s", wanted, kept, result.made ? ", " : "",
            result.made ? made : "", result.made ? " made of differences" : "");
    ret->written += result.written;
    ret->kept += result.kept;
    ret->made += result.made;
    return TRUE;
}

/* ---- slots ---- */

/* The smallest free slot that has room, and that no other job has. */
static gboolean choose_slot(const GPtrArray *jobs, Job *job, GError **error) {
    for (guint i = 0; i < job->target->free->len; i++) {
        const GptPartition *slot = job->target->free->pdata[i];
        gboolean taken = slot->size < job->content_size;
        for (guint j = 0; j < jobs->len; j++) {
            const Job *other = jobs->pdata[j];
            taken = taken || (other != job && other->target->disk == job->target->disk && other->slot == slot->number);
        }
        if (taken)
            continue;
        job->slot = slot->number;
        job->offset = slot->offset;
        job->room = slot->size;
        return TRUE;
    }
    return FALSE;
}

/* Whether TARGET will have a slot for JOB: one that is free, or that is being freed. */
static gboolean check_slots(const Job *job, GError **error) {
    const GPtrArray *slots = gpt_table_get_partitions(job->target->disk->table);
    guint n = 0;

    for (guint i = 0; i < slots->len; i++) {
        const GptPartition *slot = slots->pdata[i];
        gboolean ours = uuid_is_equal(&slot->type, &job->transfer->type.uuid);
        for (guint j = 0; j < job->target->free->len; j++)
            ours = ours || job->target->free->pdata[j] == slot;
        n += ours && slot->size >= job->content_size;
    }
    g_autofree char *size = text_format_size(job->content_size);
    return n >= 2 ||
           update_fail(error, UPDATE_ERROR_SPACE, "%s has no second slot of the type %s with room for %s (%s)",
                   job->target->disk->path, job->transfer->type.name, job->name, size);
}

/* Targets were read anew: jobs look at these, and choose their slots. */
static gboolean settle(Update *update, GPtrArray *jobs, GError **error) {
    for (guint i = 0; i < jobs->len; i++)
        ((Job *) jobs->pdata[i])->target = update->targets->pdata[i];
    for (guint i = 0; i < jobs->len; i++) {
        Job *job = jobs->pdata[i];
        if (job->present || !job->target->disk)
            continue;
        if (!choose_slot(jobs, job, error))
            return update_fail(error, UPDATE_ERROR_SPACE,
                    "No slot of the type %s is free for %s: the others are protected, or too small",
                    job->transfer->type.name, job->name);
    }
    return TRUE;
}

static guint64 change_flag(guint64 flags, guint64 flag, gint wanted) {
    return wanted < 0 ? flags : wanted ? flags | flag : flags & ~flag;
}

/* Attributes as systemd-sysupdate sets them. */
static guint64 job_flags(const Job *job, guint64 flags) {
    PartitionRole role = job->transfer->type.role;

    if (job->fields.has_flags)
        flags = job->fields.flags;
    if (partition_role_knows_no_auto(role))
        flags = change_flag(flags, PARTITION_FLAG_NO_AUTO, job->fields.no_auto);
    if (partition_role_knows_read_only(role))
        flags = change_flag(flags, PARTITION_FLAG_READ_ONLY, job->fields.read_only);
    if (partition_role_knows_grow(role))
        flags = change_flag(flags, PARTITION_FLAG_GROW_FILE_SYSTEM, job->fields.grow);
    return flags;
}

/* Names all slots of the version, in one write of the table. */
static gboolean name_slots(Update *update, const GPtrArray *jobs, GError **error) {
    gboolean any = FALSE;

    for (guint i = 0; i < jobs->len; i++) {
        const Job *job = jobs->pdata[i];
        if (job->present || !job->target->disk)
            continue;
        const GPtrArray *slots = gpt_table_get_partitions(job->target->disk->table);
        for (guint j = 0; j < slots->len; j++) {
            const GptPartition *slot = slots->pdata[j];
            if (slot->number != job->slot)
                continue;
            const Uuid *uuid = job->fields.has_uuid ? &job->fields.uuid : &slot->uuid;
            if (!gpt_table_set(job->target->disk->table, slot->number, &job->transfer->type.uuid, uuid,
                        job_flags(job, slot->flags), job->name, error))
                return FALSE;
            any = TRUE;
        }
    }
    for (guint i = 0; any && i < update->disks->len; i++)
        if (!disk_write_table(update->disks->pdata[i], error))
            return FALSE;
    return TRUE;
}

/* ---- the whole ---- */

/* Slots that have the version's name, and not its content (a server changed it, or a power cut), are emptied first. */
static gboolean drop_wrong(Update *update, GPtrArray *jobs, GError **error) {
    gboolean any = FALSE;

    for (guint i = 0; i < jobs->len; i++) {
        const Job *job = jobs->pdata[i];
        const Instance *instance = job->present ? NULL : target_find(job->target, job->fields.version);
        if (!instance || !instance->slot)
            continue;
        if (!target_clear_slot(job->target, instance->slot, error))
            return FALSE;
        any = TRUE;
    }
    for (guint i = 0; any && i < update->disks->len; i++)
        if (!disk_write_table(update->disks->pdata[i], error))
            return FALSE;
    return !any || update_reload(update, error);
}

/* All that can be said before the first byte is written. */
static gboolean check_before(Update *update, GPtrArray *jobs, GError **error) {
    for (guint i = 0; i < jobs->len; i++) {
        const Job *job = jobs->pdata[i];
        glong units = 0;
        g_autofree gunichar2 *label = g_utf8_to_utf16(job->name, -1, NULL, &units, NULL);
        if (!job->target->disk)
            continue;
        if (!label || units > 36)
            return update_fail(error, UPDATE_ERROR_CONFIGURATION, "%s: the label \"%s\" is too long for a partition",
                    job->transfer->path, job->name);
        if (!job->present && !check_slots(job, error))
            return FALSE;
    }
    return jobs_check_room(update, jobs, error) && jobs_check_trust(update, jobs, error);
}

static gboolean check_trial(const Update *update, GError **error) {
    const UpdateVersion *running = update_get_running(update);

    return !running || running->tries_left < 0 ||
           update_fail(error, UPDATE_ERROR_BUSY,
                   "The version that runs (%s) is on trial, and the one that an update would replace is the way back: wait "
                   "until systemd-bless-boot.service has run",
                   running->version);
}

static gboolean open_disks(Update *update, GError **error) {
    for (guint i = 0; i < update->disks->len; i++) {
        Disk *disk = update->disks->pdata[i];
        int fd = open(disk->path, O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
            return update_fail(error, UPDATE_ERROR_DEVICE, "Cannot open %s to write it", disk->path);
        close(disk->fd);
        disk->fd = fd;
    }
    return TRUE;
}

static gboolean install_all(Update *update, GPtrArray *jobs, UpdateResult *ret, GError **error) {
    guint removed = 0;
    const char *version = ret->version;

    if (!drop_wrong(update, jobs, error) || !update_make_room(update, version, &removed, error) ||
            !settle(update, jobs, error))
        return FALSE;
    for (guint i = 0; i < jobs->len; i++)
        if (!((Job *) jobs->pdata[i])->present && !install_one(update, jobs, jobs->pdata[i], ret, error))
            return FALSE;
    if (!jobs_verify(jobs, error) || !name_slots(update, jobs, error))
        return FALSE;
    for (guint i = 0; i < jobs->len; i++) {
        const Job *job = jobs->pdata[i];
        if (!job->present && !job->target->disk && !job_name_file(job, error))
            return FALSE;
    }
    return TRUE;
}

gboolean update_run(Update *update, const char *wanted, UpdateResult *ret, GError **error) {
    g_autoptr(GError) failure = NULL;

    if (!update_lock(update, error) || !update_reload(update, error))
        return FALSE;
    const UpdateVersion *candidate = update_find_candidate(update, wanted, &failure);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (!candidate) {
        ret->received = http_get_received(update->http);
        return TRUE;
    }
    if (!check_trial(update, error) || !open_disks(update, error))
        return FALSE;
    ret->version = g_strdup(candidate->version);
    g_autoptr(GPtrArray) jobs = jobs_plan(update, ret->version, error);
    gboolean ok = jobs && check_before(update, jobs, error) && install_all(update, jobs, ret, error);
    ret->received = http_get_received(update->http);
    if (ok)
        jobs_forget_deltas(update);
    return ok && update_reload(update, error);
}
