/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/disk.h"

#include "format/io.h"
#include "format/verity-signature.h"
#include "format/verity.h"
#include "image/content.h"
#include "image/fat.h"
#include "image/fstab.h"
#include "image/gpt.h"
#include "image/luks.h"
#include "image/mkfs.h"
#include "image/partition-plan.h"
#include "image/sparse.h"
#include "image/split-artifacts.h"
#include "image/validatefs.h"
#include "image/volume-erofs.h"
#include "tree/tree.h"
#include "ui/cleanup.h"
#include "ui/log.h"
#include "ui/step.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the content of a partition is until the disk is put together. */
typedef struct {
    char *path;             /* a file in the work directory, or NULL: empty, or in the output already */
    guint64 written_offset; /* in the output, or 0 */
} PartitionFile;

struct Disk {
    const DiskOptions *options;
    Specifiers specifiers;
    Uuid seed;
    guint sector_size;
    GPtrArray *definitions; /* PartitionDefinition */
    Plan *plan;
    PartitionFile *files; /* one for each partition of the plan */
    char *work;           /* directory next to the output, or NULL: not made yet */
    int output_fd;
    gboolean finished;
    GPtrArray *partitions; /* DiskPartition */
    GPtrArray *artifacts;  /* char: split artifacts that were made */
};

static gboolean fail_errno(const char *what, GError **error) {
    int saved = errno;

    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved), "%s: %s", what, g_strerror(saved));
    return FALSE;
}

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
    if (!disk->plan || (options->split_prefix && !split_artifacts_check(disk->plan, &disk->specifiers, error)))
        return NULL;
    disk->files = g_new0(PartitionFile, disk->plan->partitions->len);
    return g_steal_pointer(&disk);
}

/* Removes the work directory, and the output and its artifacts unless they are complete. */
static void clean_up(Disk *disk) {
    if (disk->work) {
        g_autofree char *parent = g_path_get_dirname(disk->work);
        g_autofree char *name = g_path_get_basename(disk->work);
        AUTO_FD fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
            tree_remove(fd, name, NULL);
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
        return fail_errno(parent, error);
    disk->work = g_steal_pointer(&work);
    disk->output_fd = open(disk->options->output, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return disk->output_fd >= 0 || fail_errno(disk->options->output, error);
}

/* ---- what is where ------------------------------------------------------------------------------------ */

static PlannedPartition *planned(Disk *disk, guint index) {
    return disk->plan->partitions->pdata[index];
}

static gboolean is_boot(const PlannedPartition *partition) {
    PartitionRole role = partition->definition->type.role;

    return role == PARTITION_ESP || role == PARTITION_XBOOTLDR;
}

static gboolean wants_split(const Disk *disk, const PlannedPartition *partition) {
    return disk->options->split_prefix && split_artifact_wanted(partition);
}

/* A place for the content of PARTITION: a descriptor (borrowed or owned, see RET_OWNED) and an offset. When
 * it is known already where the partition will be, and nobody wants it as a file, that is the output itself.
 */
static int open_place(Disk *disk, const PlannedPartition *partition, guint64 *ret_offset, GError **error) {
    PartitionFile *file = &disk->files[partition->number - 1];
    gboolean needs_file = wants_split(disk, partition) || partition->definition->encrypt;
    guint64 early = needs_file ? 0 : plan_early_offset(disk->plan, partition);
    int fd;

    *ret_offset = early;
    if (early) {
        file->written_offset = early;
        fd = fcntl(disk->output_fd, F_DUPFD_CLOEXEC, 3);
    } else {
        g_autofree char *name = g_strdup_printf("%s/%u.raw", disk->work, partition->number);
        g_free(file->path);
        file->path = g_steal_pointer(&name);
        fd = open(file->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    }
    if (fd < 0)
        fail_errno(disk->options->output, error);
    return fd;
}

/* A file of its own for PARTITION, for programs that want a path. */
static const char *make_file(Disk *disk, const PlannedPartition *partition, GError **error) {
    PartitionFile *file = &disk->files[partition->number - 1];

    g_free(file->path);
    file->path = g_strdup_printf("%s/%u.raw", disk->work, partition->number);
    AUTO_FD fd = open(file->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        fail_errno(file->path, error);
        return NULL;
    }
    return file->path;
}

static Volume describe_volume(
        Disk *disk, const PlannedPartition *partition, const Content *content, GHashTable *attributes) {
    const PartitionDefinition *definition = partition->definition;

    return (Volume){
            .content = content,
            .uuid = partition->file_system,
            .label = partition->label,
            .sector_size = definition->fs_sector_size ? definition->fs_sector_size : disk->sector_size,
            .attributes = attributes,
            .epoch = disk->options->epoch,
            .work = disk->work,
            .tools_tree = disk->options->tools_tree,
    };
}

/* ---- content of partitions ---------------------------------------------------------------------------- */

/* NULL: what the writer prefers. */
static const char *erofs_compression(const Disk *disk, const PartitionDefinition *definition) {
    const DiskOptions *options = disk->options;
    const char *chosen = definition->compression ? definition->compression : options->compression;

    if (!options->kernel_without_zstd || g_strcmp0(chosen, "none") == 0)
        return chosen;
    if (chosen)
        ui_warning("%s: Compression=%s: Linux %s of the image cannot read this file system, 6.10 and later can",
                definition->path, chosen, options->kernel_without_zstd);
    else
        ui_warning("%s: the file system is not compressed, because Linux %s of the image reads no zstd in EROFS "
                   "(6.10 and later do; Compression= decides otherwise)",
                definition->path, options->kernel_without_zstd);
    return chosen ? chosen : "none";
}

static gboolean write_erofs(
        Disk *disk, PlannedPartition *partition, const Volume *volume, VerityTree *verity, GError **error) {
    const PartitionDefinition *definition = partition->definition;
    const DiskOptions *options = disk->options;
    const ErofsVolumeOptions erofs = {
            .compression = erofs_compression(disk, definition),
            .level = definition->compression_level >= 0 ? (int) definition->compression_level
                                                        : options->compression_level,
            .threads = options->threads,
            .max_size = definition->size_max == SIZE_NOT_SET ? 0 : definition->size_max,
            .verity = verity,
    };
    guint64 offset;
    AUTO_FD fd = open_place(disk, partition, &offset, error);

    if (fd < 0 || !erofs_volume_write(volume, &erofs, fd, offset, &partition->content_size, error)) {
        if (error && *error && g_error_matches(*error, G_IO_ERROR, G_IO_ERROR_NO_SPACE) && erofs.max_size)
            g_prefix_error(error, "SizeMaxBytes= may be too small: ");
        return FALSE;
    }
    return TRUE;
}

static gboolean make_file_system(
        Disk *disk, PlannedPartition *partition, VerityTree *verity, GError **error) {
    const PartitionDefinition *definition = partition->definition;
    gboolean minimize = definition->minimize != PARTITION_MINIMIZE_OFF;
    guint64 size = plan_file_system_size(disk->plan, partition);
    g_autoptr(Content) content = content_new(definition, disk->definitions, disk->options->root_fd, error);

    if (!content)
        return FALSE;
    g_autoptr(GHashTable) attributes = validatefs_attributes(partition);
    const Volume volume = describe_volume(disk, partition, content, attributes);
    if (definition->format == PARTITION_FORMAT_EROFS)
        return write_erofs(disk, partition, &volume, verity, error);
    const char *path = make_file(disk, partition, error);
    if (!path)
        return FALSE;
    partition->content_size = size;
    switch (definition->format) {
    case PARTITION_FORMAT_EXT4:
        return mkfs_ext4(&volume, path, minimize ? 0 : size, &partition->content_size, error);
    case PARTITION_FORMAT_BTRFS:
        return mkfs_btrfs(&volume, path, minimize ? 0 : size, minimize, definition->compression,
                definition->compression_level, &partition->content_size, error);
    case PARTITION_FORMAT_SQUASHFS:
        return mkfs_squashfs(&volume, path, definition->compression, definition->compression_level,
                &partition->content_size, error);
    case PARTITION_FORMAT_SWAP:
        return mkfs_swap(&volume, path, size, error);
    case PARTITION_FORMAT_VFAT:
        return fat_write(&volume, path, size, error);
    default:
        g_assert_not_reached();
    }
}

/* The caller names the definition. */
static gboolean write_file_system(
        Disk *disk, PlannedPartition *partition, VerityTree *verity, GError **error) {
    if (make_file_system(disk, partition, verity, error))
        return TRUE;
    g_prefix_error(error, "Format=%s: ", partition_format_to_string(partition->definition->format));
    return FALSE;
}

/* CopyBlocks=: a file of the tree as it is. */
static gboolean copy_blocks(Disk *disk, PlannedPartition *partition, GError **error) {
    struct stat st;
    guint64 offset;
    AUTO_FD source = tree_open(
            disk->options->root_fd, partition->definition->copy_blocks, O_RDONLY | O_CLOEXEC, 0, error);

    if (source < 0)
        return FALSE;
    if (fstat(source, &st) < 0)
        return fail_errno(partition->definition->copy_blocks, error);
    if (!S_ISREG(st.st_mode) || st.st_size == 0 || st.st_size % 512 != 0) {
        g_set_error(error, DISK_ERROR, DISK_ERROR_CONTENT,
                "CopyBlocks=%s: not a file whose size is a multiple of 512",
                partition->definition->copy_blocks);
        return FALSE;
    }
    AUTO_FD fd = open_place(disk, partition, &offset, error);
    partition->content_size = st.st_size;
    return fd >= 0 && sparse_copy(source, fd, offset, error);
}

/* Hashes a data partition that was not hashed while it was written. */
static VerityTree *hash_written(Disk *disk, const PlannedPartition *data, GError **error) {
    const PartitionFile *file = &disk->files[data->number - 1];
    AUTO_FD fd = file->path ? open(file->path, O_RDWR | O_CLOEXEC) : -1;

    if (file->path && fd < 0) {
        fail_errno(file->path, error);
        return NULL;
    }
    return verity_hash_fd(fd >= 0 ? fd : disk->output_fd, file->written_offset, data->content_size,
            disk->plan->verity_salt, sizeof disk->plan->verity_salt, disk->options->threads, error);
}

static gboolean write_hash(Disk *disk, PlannedPartition *data, VerityTree *tree, GError **error) {
    guint8 root_hash[VERITY_DIGEST_SIZE];
    guint64 offset;
    AUTO_FD fd = open_place(disk, data->hash, &offset, error);

    if (fd < 0 || !verity_tree_write(tree, data->content_size / VERITY_BLOCK_SIZE, fd, offset,
                          disk->plan->verity_uuid.bytes, root_hash, &data->hash->content_size, error))
        return FALSE;
    plan_set_root_hash(data, root_hash);
    if (!data->signature)
        return TRUE;
    data->signature->content_size = 0;
    if (disk->options->verity == DISK_VERITY_DEFER)
        return TRUE;
    g_autoptr(GBytes) signature = verity_signature_sign(root_hash, sizeof root_hash,
            disk->options->verity_key, disk->options->verity_certificate, error);
    if (!signature)
        return FALSE;
    g_autoptr(GBytes) partition = verity_signature_partition_build(
            root_hash, sizeof root_hash, signature, disk->options->verity_certificate, error);
    if (!partition)
        return FALSE;
    AUTO_FD signature_fd = open_place(disk, data->signature, &offset, error);
    data->signature->content_size = g_bytes_get_size(partition);
    return signature_fd >= 0 && pwrite_all(signature_fd, g_bytes_get_data(partition, NULL),
                                        data->signature->content_size, offset, error);
}

/* Replaces the file with the content of PARTITION by an encrypted one. */
static gboolean encrypt_partition(Disk *disk, PlannedPartition *partition, GError **error) {
    PartitionFile *file = &disk->files[partition->number - 1];
    const PartitionDefinition *definition = partition->definition;
    g_autofree char *label = g_strconcat("luks-", partition->label, NULL);
    g_autofree char *encrypted = g_strconcat(file->path, ".luks", NULL);
    const LuksOptions options = {
            .passphrase = disk->options->passphrase,
            .kdf = definition->encrypt_kdf,
            .label = definition->volume_label ? definition->volume_label : label,
            .uuid = partition->luks,
            .tools_tree = disk->options->tools_tree,
    };

    if (!luks_encrypt(&options, file->path, encrypted, &partition->content_size, error))
        return FALSE;
    return rename(encrypted, file->path) == 0 || fail_errno(file->path, error);
}

static gboolean write_partition(Disk *disk, PlannedPartition *partition, GError **error) {
    const PartitionDefinition *definition = partition->definition;
    g_autoptr(VerityTree) tree = NULL;

    if (definition->verity == PARTITION_VERITY_DATA && definition->format == PARTITION_FORMAT_EROFS)
        tree = verity_tree_new(disk->plan->verity_salt, sizeof disk->plan->verity_salt);
    if (definition->copy_blocks ? !copy_blocks(disk, partition, error)
                                : !write_file_system(disk, partition, tree, error))
        return FALSE;
    if (definition->encrypt && !encrypt_partition(disk, partition, error))
        return FALSE;
    if (definition->verity != PARTITION_VERITY_DATA)
        return TRUE;
    if (partition->content_size % VERITY_BLOCK_SIZE != 0) {
        g_set_error(error, DISK_ERROR, DISK_ERROR_CONTENT,
                "verity needs content whose size is a multiple of %u bytes", VERITY_BLOCK_SIZE);
        return FALSE;
    }
    if (!tree && !(tree = hash_written(disk, partition, error)))
        return FALSE;
    return write_hash(disk, partition, tree, error);
}

/* write_partition() as a step that people see. */
static gboolean step_partition(Disk *disk, PlannedPartition *partition, GError **error) {
    const PartitionDefinition *definition = partition->definition;
    const char *format =
            definition->copy_blocks ? "copied blocks" : partition_format_to_string(definition->format);
    g_autoptr(UiStep) step = ui_step_begin(
            disk->options->step_image, "Writing partition %s (%s)", definition->type.name, format);

    if (!write_partition(disk, partition, error)) {
        g_prefix_error(error, "writing partition %s of %s from %s: ", definition->type.name,
                definition->path, disk->options->root_path);
        return FALSE;
    }
    g_autofree char *size = ui_format_size(partition->content_size);
    ui_step_done(g_steal_pointer(&step), "%s", size);
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
        return fail_errno(file->path, error);
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
    if (!wants_split(disk, partition))
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
        return fail_errno(disk->options->output, error);
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
    g_autoptr(UiStep) step = ui_step_begin(disk->options->step_image, "Writing disk");

    if (!open_output(disk, error) || !put_together(disk, error)) {
        g_prefix_error(error, "writing disk: ");
        return FALSE;
    }
    disk->finished = TRUE;
    g_autofree char *size = ui_format_size(disk->plan->size);
    ui_step_done(g_steal_pointer(&step), "%s", size);
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
