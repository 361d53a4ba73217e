/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The content of one partition: file system, copied blocks, hash tree and signature, encryption. */

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "events/events.h"
#include "format/verity/signature/verity-signature.h"
#include "format/verity/verity.h"
#include "image/disk/disk-private.h"
#include "image/plan/split-artifacts.h"
#include "image/plan/validatefs.h"
#include "image/volumes/content.h"
#include "image/volumes/fat.h"
#include "image/volumes/luks.h"
#include "image/volumes/mkfs.h"
#include "image/volumes/sparse.h"
#include "image/volumes/volume-erofs.h"
#include "tree/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

gboolean disk_fail_errno(const char *what, GError **error) {
    int saved = errno;

    return set_errno_error(error, saved, "%s", what);
}

gboolean disk_wants_split(const Disk *disk, const PlannedPartition *partition) {
    return disk->options->split_prefix && split_artifact_wanted(partition);
}

/* A place for the content of PARTITION: a descriptor (borrowed or owned, see RET_OWNED) and an offset. When
 * it is known already where the partition will be, and nobody wants it as a file, that is the output itself.
 */
static int open_place(Disk *disk, const PlannedPartition *partition, guint64 *ret_offset, GError **error) {
    PartitionFile *file = &disk->files[partition->number - 1];
    gboolean needs_file = disk_wants_split(disk, partition) || partition->definition->encrypt;
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
        disk_fail_errno(disk->options->output, error);
    return fd;
}

/* A file of its own for PARTITION, for programs that want a path. */
static const char *make_file(Disk *disk, const PlannedPartition *partition, GError **error) {
    PartitionFile *file = &disk->files[partition->number - 1];

    g_free(file->path);
    file->path = g_strdup_printf("%s/%u.raw", disk->work, partition->number);
    AUTO_FD fd = open(file->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        disk_fail_errno(file->path, error);
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
            .label_of = disk->options->label_of,
            .label_data = disk->options->label_data,
    };
}

/* NULL: what the writer prefers. */
static const char *erofs_compression(const Disk *disk, const PartitionDefinition *definition) {
    const DiskOptions *options = disk->options;
    const char *chosen = definition->compression ? definition->compression : options->compression;

    if (!options->kernel_without_zstd || g_strcmp0(chosen, "none") == 0)
        return chosen;
    if (chosen)
        events_warning(
                "%s: Compression=%s: Linux %s of the image cannot read this file system, 6.10 and later can",
                definition->path, chosen, options->kernel_without_zstd);
    else
        events_warning("%s: the file system is not compressed, because Linux %s of the image reads no zstd in "
                   "EROFS "
                   "(6.10 and later do; Compression= decides otherwise)",
                definition->path, options->kernel_without_zstd);
    return chosen ? chosen : "none";
}

/* Of the volume, or of the file system that it is written to. */
static gboolean is_out_of_space(const GError *error) {
    return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE) ||
           g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
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
            .store = options->store,
            .maker = options->maker,
            .verity = verity,
    };
    guint64 offset;
    AUTO_FD fd = open_place(disk, partition, &offset, error);

    if (fd < 0 || !erofs_volume_write(volume, &erofs, fd, offset, &partition->content_size, error)) {
        if (error && erofs.max_size && is_out_of_space(*error))
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
        return disk_fail_errno(partition->definition->copy_blocks, error);
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
        disk_fail_errno(file->path, error);
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
    return rename(encrypted, file->path) == 0 || disk_fail_errno(file->path, error);
}

gboolean disk_write_partition(Disk *disk, PlannedPartition *partition, GError **error) {
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
                "verity needs content whose size is a multiple of %d bytes", VERITY_BLOCK_SIZE);
        return FALSE;
    }
    if (!tree && !(tree = hash_written(disk, partition, error)))
        return FALSE;
    return write_hash(disk, partition, tree, error);
}
