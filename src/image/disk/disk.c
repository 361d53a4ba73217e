/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/disk/disk-private.h"
#include "base/cleanup.h"
#include "base/errors.h"
#include "events/step.h"
#include "image/plan/fstab.h"
#include "image/disk/gpt.h"
#include "image/volumes/luks.h"
#include "image/volumes/sparse.h"
#include "image/plan/split-artifacts.h"
#include "text/size.h"
#include "tree/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ---- making and unmaking ------------------------------------------------------------------------------ */

static void disk_partition_free(gpointer data) {
    DiskPartition *partition = data;

    g_free(partition->definition);
    g_free(partition->type);
    g_free(partition->type_uuid);
    g_free(partition->uuid);
    g_free(partition->label);
    g_free(partition->root_hash);
    g_free(partition->split_path);
    g_free(partition);
}

static void set_specifiers(Disk *disk) {
    const DiskOptions *options = disk->options;

    disk->specifiers = (Specifiers){
            .architecture = options->architecture,
            .image_version = options->image_version,
            .build_id = options->os_build_id,
            .image_id = options->image_id,
            .os_id = options->os_id,
            .kernel_version = options->kernel_version,
            .version_id = options->os_version_id,
            .variant_id = options->os_variant_id,
    };
}

static gboolean load_definitions(Disk *disk, GError **error) {
    const DiskOptions *options = disk->options;

    if (options->builtin_definitions)
        disk->definitions = partition_definitions_builtin(
                options->builtin_definitions, options->architecture, &disk->specifiers, error);
    else if (options->definition_dirs && options->definition_dirs[0])
        disk->definitions = partition_definitions_load(
                options->definition_dirs, options->architecture, &disk->specifiers, error);
    else
        disk->definitions = partition_definitions_default(options->default_esp, options->default_root_format,
                options->architecture, &disk->specifiers, error);
    return disk->definitions != NULL;
}

static gboolean check_options(const Disk *disk, GError **error) {
    guint size = disk->sector_size;

    if (size < 512 || size > 4096 || (size & (size - 1))) {
        g_set_error(error, DISK_ERROR, DISK_ERROR_PLAN,
                "a sector size of %u bytes is not possible (expected 512, 1024, 2048 or 4096)", size);
        return FALSE;
    }
    if (!partition_type_architecture_known(disk->options->architecture)) {
        g_set_error(error, DISK_ERROR, DISK_ERROR_PLAN,
                "there are no partition types for the architecture \"%s\"", disk->options->architecture);
        return FALSE;
    }
    return TRUE;
}

static gboolean check_passphrase(const Disk *disk, GError **error) {
    for (guint i = 0; i < disk->definitions->len && !disk->options->passphrase; i++) {
        const PartitionDefinition *definition = disk->definitions->pdata[i];
        if (!definition->encrypt)
            continue;
        g_set_error(error, DISK_ERROR, DISK_ERROR_DEFINITION,
                "%s: Encrypt=key-file needs a passphrase: name the file with it in Passphrase= of the "
                "recipe",
                definition->path);
        return FALSE;
    }
    return TRUE;
}

Disk *disk_new(const DiskOptions *options, GError **error) {
    g_autoptr(Disk) disk = g_new0(Disk, 1);

    disk->options = options;
    disk->output_fd = -1;
    disk->sector_size = options->sector_size ? options->sector_size : 512;
    disk->partitions = g_ptr_array_new_with_free_func(disk_partition_free);
    disk->artifacts = g_ptr_array_new_with_free_func(g_free);
    memcpy(disk->seed.bytes, options->seed, sizeof disk->seed.bytes);
    set_specifiers(disk);
    if (!check_options(disk, error) || !load_definitions(disk, error) || !check_passphrase(disk, error))
        return NULL;
    disk->plan = plan_new(disk->definitions, &disk->seed, disk->sector_size, options->minimum_size,
            options->verity, options->verity_key && options->verity_certificate, error);
    /* Early, where the names do not follow from root hashes. */
    if (!disk->plan ||
            (options->split_prefix && !split_artifacts_check(disk->plan, &disk->specifiers, error)))
        return NULL;
    disk->files = g_new0(PartitionFile, disk->plan->partitions->len);
    return g_steal_pointer(&disk);
}

gboolean disk_check_size(Disk *disk, const char *directory, GError **error) {
    const PlannedPartition *largest = NULL;
    guint64 sum = PLAN_HEAD_SIZE + PLAN_TAIL_SIZE;
    AUTO_FD fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    for (guint i = 0; i < disk->plan->partitions->len; i++) {
        const PlannedPartition *partition = disk->plan->partitions->pdata[i];
        guint64 size = plan_minimal_size(disk->plan, partition);
        sum += size;
        if (!largest || size > plan_minimal_size(disk->plan, largest))
            largest = partition;
    }
    sum = MAX(sum, disk->options->minimum_size);
    if (fd < 0 || ftruncate(fd, sum) == 0 || (errno != EFBIG && errno != EINVAL))
        return TRUE;
    g_autofree char *size = text_format_size(sum);
    g_set_error(error, DISK_ERROR, DISK_ERROR_PLAN,
            "%s: the disk would have at least %s, more than a file in the output directory can be (SizeMinBytes= "
            "of the partitions, OutputSize=)",
            largest->definition->path, size);
    return FALSE;
}

/* Removes the work directory, and the output and its artifacts unless they are complete. */
static void clean_up(Disk *disk) {
    if (disk->work) {
        g_autofree char *parent = g_path_get_dirname(disk->work);
        g_autofree char *name = g_path_get_basename(disk->work);
        AUTO_FD fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
            ignore_failure(tree_remove(fd, name, NULL));
    }
    if (disk->output_fd >= 0)
        close(disk->output_fd);
    if (disk->finished)
        return;
    if (disk->work)
        unlink(disk->options->output);
    for (guint i = 0; i < disk->artifacts->len; i++)
        unlink(disk->artifacts->pdata[i]);
}

void disk_free(Disk *disk) {
    if (!disk)
        return;
    clean_up(disk);
    for (guint i = 0; disk->files && i < disk->plan->partitions->len; i++)
        g_free(disk->files[i].path);
    g_free(disk->files);
    g_clear_pointer(&disk->plan, plan_free);
    g_clear_pointer(&disk->definitions, g_ptr_array_unref);
    g_ptr_array_unref(disk->partitions);
    g_ptr_array_unref(disk->artifacts);
    g_free(disk->work);
    g_free(disk);
}

/* Makes the work directory and the output, once. */
static gboolean open_output(Disk *disk, GError **error) {
    g_autofree char *parent = NULL, *work = NULL;

    if (disk->work)
        return TRUE;
    parent = g_path_get_dirname(disk->options->output);
    work = g_build_filename(parent, ".particleos-disk-XXXXXX", NULL);
    if (!g_mkdtemp_full(work, 0700))
        return disk_fail_errno(parent, error);
    disk->work = g_steal_pointer(&work);
    disk->output_fd = open(disk->options->output, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return disk->output_fd >= 0 || disk_fail_errno(disk->options->output, error);
}

/* ---- volumes and ESP ---------------------------------------------------------------------------------- */

static PlannedPartition *planned(Disk *disk, guint index) {
    return disk->plan->partitions->pdata[index];
}

static gboolean is_boot(const PlannedPartition *partition) {
    PartitionRole role = partition->definition->type.role;

    return role == PARTITION_ESP || role == PARTITION_XBOOTLDR;
}

/* disk_write_partition() as a step that people see. */
static gboolean step_partition(Disk *disk, PlannedPartition *partition, GError **error) {
    const PartitionDefinition *definition = partition->definition;
    const char *format =
            definition->copy_blocks ? "copied blocks" : partition_format_to_string(definition->format);
    g_autoptr(EventsStep) step = events_step_begin(
            disk->options->step_image, "Writing partition %s (%s)", definition->type.name, format);

    if (!disk_write_partition(disk, partition, error)) {
        g_prefix_error(error, "writing partition %s of %s from %s: ", definition->type.name,
                definition->path, disk->options->root_path);
        return FALSE;
    }
    g_autofree char *size = text_format_size(partition->content_size);
    events_step_done(g_steal_pointer(&step), "%s", size);
    return TRUE;
}

static gboolean has_content(const PlannedPartition *partition) {
    return partition->definition->copy_blocks || partition->definition->format != PARTITION_FORMAT_NONE;
}

gboolean disk_write_volumes(Disk *disk, GError **error) {
    if (!open_output(disk, error) ||
            (disk->options->write_fstab &&
                    (!fstab_write(disk->plan, disk->options->root_fd, error) ||
                            !crypttab_write(disk->plan, disk->options->root_fd, error))))
        return FALSE;
    for (guint i = 0; i < disk->plan->partitions->len; i++)
        if (!is_boot(planned(disk, i)) && has_content(planned(disk, i)) &&
                !step_partition(disk, planned(disk, i), error))
            return FALSE;
    return TRUE;
}

gboolean disk_write_esp(Disk *disk, GError **error) {
    if (!open_output(disk, error))
        return FALSE;
    for (guint i = 0; i < disk->plan->partitions->len; i++)
        if (is_boot(planned(disk, i)) && has_content(planned(disk, i)) &&
                !step_partition(disk, planned(disk, i), error))
            return FALSE;
    return TRUE;
}

gboolean disk_boot_room(Disk *disk, const PartitionDefinition *definition, FatRoom *ret) {
    for (guint i = 0; i < disk->plan->partitions->len; i++) {
        const PartitionFile *file = &disk->files[i];
        if (planned(disk, i)->definition != definition || definition->format != PARTITION_FORMAT_VFAT)
            continue;
        AUTO_FD fd = file->path ? open(file->path, O_RDONLY | O_CLOEXEC)
                                : fcntl(disk->output_fd, F_DUPFD_CLOEXEC, 3);
        return fd >= 0 && fat_room_read(fd, file->path ? 0 : file->written_offset, ret);
    }
    return FALSE;
}

/* ---- the disk ----------------------------------------------------------------------------------------- */

static gboolean place_partition(Disk *disk, const PlannedPartition *partition, GError **error) {
    const PartitionFile *file = &disk->files[partition->number - 1];

    if (file->written_offset) {
        g_assert(file->written_offset == partition->offset);
        return TRUE;
    }
    if (!file->path)
        return TRUE;
    AUTO_FD fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return disk_fail_errno(file->path, error);
    return sparse_copy(fd, disk->output_fd, partition->offset, error);
}

static gboolean report_partition(Disk *disk, const PlannedPartition *partition, GError **error) {
    DiskPartition *report = g_new0(DiskPartition, 1);

    report->definition = g_strdup(partition->definition->name);
    report->type = g_strdup(partition->definition->type.name);
    report->type_uuid = uuid_to_text(&partition->definition->type.uuid);
    report->uuid = uuid_to_text(&partition->uuid);
    report->label = g_strdup(partition->label);
    report->offset = partition->offset;
    report->size = partition->size;
    report->root_hash = g_strdup(partition->root_hash);
    g_ptr_array_add(disk->partitions, report);
    if (!disk_wants_split(disk, partition))
        return TRUE;
    report->split_path = split_artifact_make(partition, &disk->specifiers, disk->options->split_prefix,
            disk->files[partition->number - 1].path, error);
    if (!report->split_path)
        return FALSE;
    g_ptr_array_add(disk->artifacts, g_strdup(report->split_path));
    return TRUE;
}

static gboolean put_together(Disk *disk, GError **error) {
    if (!plan_layout(disk->plan, error))
        return FALSE;
    if (ftruncate(disk->output_fd, disk->plan->size) < 0)
        return disk_fail_errno(disk->options->output, error);
    for (guint i = 0; i < disk->plan->partitions->len; i++)
        if (!place_partition(disk, planned(disk, i), error))
            return FALSE;
    if (!gpt_write(disk->plan, disk->options->output, error))
        return FALSE;
    if (disk->options->split_prefix && !split_artifacts_check(disk->plan, &disk->specifiers, error))
        return FALSE;
    for (guint i = 0; i < disk->plan->partitions->len; i++)
        if (!report_partition(disk, planned(disk, i), error))
            return FALSE;
    return TRUE;
}

gboolean disk_finish(Disk *disk, GError **error) {
    g_autoptr(EventsStep) step = events_step_begin(disk->options->step_image, "Writing disk");

    if (!open_output(disk, error) || !put_together(disk, error)) {
        g_prefix_error(error, "writing disk: ");
        return FALSE;
    }
    disk->finished = TRUE;
    g_autofree char *size = text_format_size(disk->plan->size);
    events_step_done(g_steal_pointer(&step), "%s", size);
    return TRUE;
}

/* ---- questions ---------------------------------------------------------------------------------------- */

static PlannedPartition *find_verity_data(Disk *disk, PartitionRole role) {
    for (guint i = 0; i < disk->plan->partitions->len; i++)
        if (planned(disk, i)->definition->type.role == role &&
                planned(disk, i)->definition->verity == PARTITION_VERITY_DATA)
            return planned(disk, i);
    return NULL;
}

gboolean disk_has_esp(Disk *disk) {
    for (guint i = 0; i < disk->plan->partitions->len; i++)
        if (is_boot(planned(disk, i)))
            return TRUE;
    return FALSE;
}

GPtrArray *disk_get_definitions(Disk *disk) {
    return disk->definitions;
}

gboolean disk_has_usr_verity(Disk *disk) {
    return find_verity_data(disk, PARTITION_USR) != NULL;
}

gboolean disk_has_root_verity(Disk *disk) {
    return find_verity_data(disk, PARTITION_ROOT) != NULL;
}

const char *disk_usr_hash(Disk *disk) {
    const PlannedPartition *data = find_verity_data(disk, PARTITION_USR);

    return data ? data->root_hash : NULL;
}

const char *disk_root_hash(Disk *disk) {
    const PlannedPartition *data = find_verity_data(disk, PARTITION_ROOT);

    return data ? data->root_hash : NULL;
}

char *disk_partition_uuid(Disk *disk, DiskRole role) {
    for (guint i = 0; i < disk->plan->partitions->len; i++)
        if (planned(disk, i)->definition->type.role ==
                (role == DISK_ROLE_ROOT ? PARTITION_ROOT : PARTITION_USR))
            return uuid_to_text(&planned(disk, i)->uuid);
    return NULL;
}

GPtrArray *disk_partitions(Disk *disk) {
    return disk->partitions;
}

gboolean disk_signature_deferred(Disk *disk) {
    for (guint i = 0; i < disk->plan->partitions->len; i++)
        if (planned(disk, i)->definition->verity == PARTITION_VERITY_SIGNATURE)
            return disk->options->verity == DISK_VERITY_DEFER;
    return FALSE;
}
