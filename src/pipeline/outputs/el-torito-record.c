/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ElTorito= and the identifiers that go with it. Not by default, because blkid and older versions of
 * systemd-dissect take a disk with an ISO 9660 volume for nothing but that. */

#include "pipeline/outputs/el-torito-record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "format/cdrom/el-torito.h"
#include "image/disk/disk.h"

static gboolean check_identifier(
        const ImageConfig *config, const char *setting, const char *text, gsize size, GError **error) {
    const char *origin = recipe_setting_origin(config, setting);

    if (el_torito_valid_identifier(text, size))
        return TRUE;
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
            "%s%s%s=%s: expected at most %" G_GSIZE_FORMAT
            " of the characters A-Z, a-z, 0-9, space and _!\"%%&'()*+,-./:;<=>?",
            origin ? origin : "", origin ? ": " : "", setting, text, size);
    return FALSE;
}

gboolean el_torito_check(const ImageConfig *config, GError **error) {
    return check_identifier(
                   config, "ElToritoSystem", config->el_torito_system, EL_TORITO_SYSTEM_SIZE, error) &&
           check_identifier(
                   config, "ElToritoVolume", config->el_torito_volume, EL_TORITO_VOLUME_SIZE, error) &&
           check_identifier(config, "ElToritoPublisher", config->el_torito_publisher,
                   EL_TORITO_PUBLISHER_SIZE, error);
}

/* The ESP; NULL with an error when there is none or something is in the way. */
static const DiskPartition *find_esp(ImageBuild *image, GError **error) {
    GPtrArray *partitions = disk_partitions(image->disk.disk);
    const DiskPartition *esp = NULL;

    for (guint i = 0; i < partitions->len; i++) {
        const DiskPartition *partition = partitions->pdata[i];
        if (partition->offset < EL_TORITO_END) {
            g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                    "ElTorito=yes: the partition of %s begins where the boot catalog has to be",
                    partition->definition);
            return NULL;
        }
        if (!esp && g_str_equal(partition->type, "esp"))
            esp = partition;
    }
    if (!esp)
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "ElTorito=yes: the disk has no EFI system partition to boot from; define one (Type=esp)");
    return esp;
}

gboolean el_torito_add(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    const DiskPartition *esp;
    struct stat info;

    if (config->el_torito != FEATURE_ENABLED)
        return TRUE;
    if (!(esp = find_esp(image, error)))
        return FALSE;
    AUTO_FD fd = open(image->output, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) < 0)
        return set_errno_error(error, errno, "Cannot open %s", image->output);
    const ElTorito options = {
            .system = config->el_torito_system,
            .volume = config->el_torito_volume,
            .publisher = config->el_torito_publisher,
            .esp_offset = esp->offset,
            .disk_size = info.st_size,
            .time = MAX(config->source_date_epoch, 0),
    };
    return el_torito_write(fd, &options, error);
}
