/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps that make a disk of the tree. */

#include "pipeline/outputs/disk-image.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "events/events.h"
#include "image/disk/disk.h"
#include "pipeline/boot/boot-check.h"
#include "pipeline/boot/boot-limits.h"
#include "pipeline/boot/boot-room.h"
#include "pipeline/layers/compression-cache.h"
#include "pipeline/layers/layer.h"
#include "pipeline/outputs/disk-definitions.h"
#include "pipeline/outputs/disk-labels.h"
#include "pipeline/outputs/el-torito-record.h"
#include "pipeline/state/boot-rules.h"
#include "pipeline/state/output-conflicts.h"
#include "pipeline/state/output-names.h"
#include "pipeline/state/staged-files.h"
#include "text/os-release.h"

static gboolean parse_seed(const char *text, guint8 seed[16], GError **error) {
    guint n = 0;

    for (const char *c = text; *c; c++) {
        if (*c == '-')
            continue;
        int high = g_ascii_xdigit_value(c[0]), low = c[1] ? g_ascii_xdigit_value(c[1]) : -1;
        if (high < 0 || low < 0 || n == 16)
            break;
        seed[n++] = high << 4 | low;
        c++;
    }
    if (n == 16)
        return TRUE;
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "Seed=%s is not a UUID", text);
    return FALSE;
}

static DiskVerity disk_verity(Verity verity) {
    switch (verity) {
    case VERITY_DISABLED:
        return DISK_VERITY_DISABLED;
    case VERITY_HASH:
        return DISK_VERITY_HASH;
    case VERITY_SIGNED:
        return DISK_VERITY_SIGNED;
    case VERITY_DEFER:
        return DISK_VERITY_DEFER;
    default:
        return DISK_VERITY_AUTO;
    }
}

static char *os_release_value(ImageBuild *image, const char *name) {
    g_autofree char *text = NULL;

    if (!image->os_release)
        return NULL;
    text = g_strndup(g_bytes_get_data(image->os_release, NULL), g_bytes_get_size(image->os_release));
    return os_release_get(text, name);
}

static const char *default_file_system(Distribution distribution) {
    switch (distribution) {
    case DISTRIBUTION_FEDORA:
    case DISTRIBUTION_OPENSUSE:
        return "btrfs";
    default:
        return "ext4";
    }
}

/* Extensions and portable services are attached to systems with all kinds of kernels: not compressed they
 * can be mounted by every kernel that knows erofs. */
static gboolean add_definitions(ImageBuild *image, DiskOptions *options, GError **error) {
    const ImageConfig *config = image->config;

    if (config->format == OUTPUT_FORMAT_DISK) {
        options->definition_dirs = (const char *const *) config->repart_directories;
        options->kernel_without_zstd = boot_kernel_without_zstd(image);
        return TRUE;
    }
    if (config->repart_directories[0])
        events_warning("%s: Format=%s has partitions of its own; RepartDirectories= is not used", image->name,
                output_format_to_string(config->format));
    options->compression = "none";
    options->builtin_definitions = (const char *const *) disk_definitions(image, error);
    return options->builtin_definitions != NULL;
}

static gboolean make_options(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    g_autofree char *plain = outputs_plain_name(config);
    DiskOptions *options = image->disk.options = g_new0(DiskOptions, 1);

    if (!config->seed || !parse_seed(config->seed, options->seed, error))
        return FALSE;
    image->output = g_build_filename(image->places.staging, plain, NULL);
    options->output = image->output;
    if (config->split_artifacts & ARTIFACT_PARTITIONS)
        options->split_prefix = g_build_filename(image->places.staging, config->output, NULL);
    if (!add_definitions(image, options, error))
        return FALSE;
    options->default_esp = boot_wants_esp(image);
    options->default_root_format = default_file_system(config->distribution);
    options->root_fd = image->root_fd;
    options->root_path = image->root;
    options->tools_tree = config->tools_tree;
    options->passphrase = config->passphrase;
    options->write_fstab = config->format == OUTPUT_FORMAT_DISK;
    options->epoch = config->source_date_epoch;
    options->sector_size = MAX(config->sector_size, 0);
    options->minimum_size = config->output_size;
    options->architecture = architecture_to_string(config->architecture);
    options->image_id = config->image_id;
    options->image_version = config->image_version;
    options->os_id = os_release_value(image, "ID");
    options->os_version_id = os_release_value(image, "VERSION_ID");
    options->os_build_id = os_release_value(image, "BUILD_ID");
    options->os_variant_id = os_release_value(image, "VARIANT_ID");
    options->kernel_version = image->boot.kernel_version;
    options->verity =
            config->format == OUTPUT_FORMAT_ESP ? DISK_VERITY_DISABLED : disk_verity(config->verity);
    /* Nothing that asks for less is signed because another image of the recipe is. */
    if (config->verity == VERITY_SIGNED || config->verity == VERITY_AUTO) {
        options->verity_key = image->build->verity_key;
        options->verity_certificate = image->build->verity_certificate;
    }
    options->compression_level = -1;
    options->step_image = image->name;
    return TRUE;
}

void disk_image_clear_options(ImageBuild *image) {
    DiskOptions *options = image->disk.options;

    g_clear_pointer(&image->output, g_free);
    if (!options)
        return;
    g_strfreev((char **) options->builtin_definitions);
    g_free((char *) options->split_prefix);
    g_free((char *) options->os_id);
    g_free((char *) options->os_version_id);
    g_free((char *) options->os_build_id);
    g_free((char *) options->os_variant_id);
    selinux_labels_free(options->label_data);
    g_clear_pointer(&image->disk.options, g_free);
}

/* FALSE when a directory is missing or empty, which a script may still mend. */
static gboolean has_definitions(char **directories) {
    for (char **directory = directories; *directory; directory++) {
        g_autoptr(GDir) dir = g_dir_open(*directory, 0, NULL);
        const char *name = dir ? g_dir_read_name(dir) : NULL;
        while (name && !g_str_has_suffix(name, ".conf"))
            name = g_dir_read_name(dir);
        if (!name)
            return FALSE;
    }
    return *directories != NULL;
}

gboolean disk_image_check_definitions(ImageBuild *image, GError **error) {
    if (image->config->format != OUTPUT_FORMAT_DISK || !has_definitions(image->config->repart_directories))
        return TRUE;
    if (!make_options(image, error))
        return FALSE;
    /* Names of split artifacts may depend on the operating system, which is not known yet. */
    g_clear_pointer((char **) &image->disk.options->split_prefix, g_free);
    g_autoptr(Disk) disk = disk_new(image->disk.options, error);
    gboolean ok = disk && disk_check_size(disk, image->places.staging, error);
    g_clear_pointer(&disk, disk_free);
    disk_image_clear_options(image);
    return ok;
}

static gboolean write_volumes(ImageBuild *image, GError **error) {
    g_autofree char *maker = layer_program_build();
    DiskOptions *options = image->disk.options;

    options->store = compression_cache_open(image);
    options->maker = maker;
    gboolean good = disk_write_volumes(image->disk.disk, error);
    compression_cache_close(image, options->store);
    options->store = NULL;
    options->maker = NULL;
    return good;
}

static gboolean open_labels(ImageBuild *image, GError **error) {
    SelinuxLabels *labels;

    if (!disk_labels_open(image, &labels, error))
        return FALSE;
    image->disk.options->label_of = labels ? disk_label_of : NULL;
    image->disk.options->label_data = labels;
    return TRUE;
}

/* What the verity root hash covers must not contain boot files: those are made after it. */
gboolean step_disk_volumes(ImageBuild *image, GError **error) {
    if (!outputs_are_disks(image->config))
        return TRUE;
    g_autofree char *plain = outputs_plain_name(image->config);
    if (!outputs_check_free(image, plain, error) || !make_options(image, error) || !open_labels(image, error) ||
            !(image->disk.disk = disk_new(image->disk.options, error)) || !boot_check_partitions(image, error) ||
            !write_volumes(image, error))
        return FALSE;
    image->disk.usr_hash = g_strdup(disk_usr_hash(image->disk.disk));
    image->disk.root_hash = g_strdup(disk_root_hash(image->disk.disk));
    if (!(image->config->split_artifacts & ARTIFACT_ROOTHASH) || !(image->disk.usr_hash || image->disk.root_hash))
        return TRUE;

    const char *hash = image->disk.root_hash ? image->disk.root_hash : image->disk.usr_hash;
    g_autofree char *name = g_strconcat(image->config->output, ".roothash", NULL);
    g_autoptr(GBytes) content = g_bytes_new(hash, strlen(hash));
    return staged_file_write(image, name, content, error);
}

gboolean step_disk_finish(ImageBuild *image, GError **error) {
    /* An ESP that is the whole output has the size of what is on it by now. */
    if (image->config->format == OUTPUT_FORMAT_ESP &&
            (!make_options(image, error) || !(image->disk.disk = disk_new(image->disk.options, error))))
        return FALSE;
    if (!image->disk.disk)
        return TRUE;
    if (!disk_write_esp(image->disk.disk, error))
        return FALSE;
    if (image->config->format == OUTPUT_FORMAT_DISK)
        boot_room_check(image);
    if (!disk_finish(image->disk.disk, error))
        return FALSE;
    GPtrArray *partitions = disk_partitions(image->disk.disk);
    for (guint i = 0; i < partitions->len; i++) {
        const DiskPartition *partition = partitions->pdata[i];
        if (partition->split_path)
            g_ptr_array_add(image->disk.split, g_strdup(partition->split_path));
    }
    if (image->config->format == OUTPUT_FORMAT_DISK && !el_torito_add(image, error))
        return FALSE;
    g_clear_pointer(&image->disk.disk, disk_free);
    return TRUE;
}
