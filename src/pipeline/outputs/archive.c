/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps that hand the tree out as it is: as an archive or as a directory. */

#include "pipeline/outputs/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/step.h"
#include "format/archive/cpio.h"
#include "format/compress/compressor.h"
#include "pipeline/outputs/oci-image.h"
#include "pipeline/state/output-conflicts.h"
#include "pipeline/state/output-names.h"
#include "tree/tar-tree.h"
#include "tree/tree.h"

static int create_file(const char *path, GError **error) {
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0)
        set_errno_error(error, errno, "Cannot create %s", path);
    return fd;
}

static gboolean write_cpio(ImageBuild *image, const char *path, GError **error) {
    const CpioOptions options = {
            .compression = outputs_compressor(image->config),
            .level = image->config->compress_level,
            .clamp_time = image->config->source_date_epoch,
    };
    AUTO_FD output = create_file(path, error);

    return output >= 0 && cpio_write_tree(image->root_fd, output, &options, error);
}

static gboolean write_tar(ImageBuild *image, const char *path, GError **error) {
    const ImageConfig *config = image->config;
    AUTO_FD output = create_file(path, error);
    g_autoptr(Compressor) compressor = NULL;

    return output >= 0 &&
           (compressor = compressor_new(output, outputs_compressor(config), config->compress_level, 0, error)) &&
           tar_write_tree(image->root_fd, compressor, config->source_date_epoch, error) &&
           compressor_finish(compressor, error);
}

/* The range of users that the operating system reserves for trees of other systems
 * (https://systemd.io/UIDS-GIDS/). */
#define FOREIGN_BASE 0x7ffe0000u

/* UseSubvolumes=: FALSE in RET_MADE when the tree goes into a plain directory. */
static gboolean make_subvolume(ImageBuild *image, const char *path, gboolean *ret_made, GError **error) {
    Feature wanted = image->config->use_subvolumes;

    *ret_made = wanted != FEATURE_DISABLED && tree_can_make_subvolumes(image->places.staging);
    if (*ret_made)
        return tree_make_subvolume(path, error);
    if (wanted != FEATURE_ENABLED)
        return TRUE;
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
            "UseSubvolumes=yes: the output directory is not on a btrfs file system");
    return FALSE;
}

/* The tree itself where it can be moved, else a copy. */
static gboolean place_tree(ImageBuild *image, const char *path, GError **error) {
    gboolean subvolume;

    if (!make_subvolume(image, path, &subvolume, error))
        return FALSE;
    if (!subvolume && !image->layers.mounted && rename(image->root, path) == 0) {
        g_free(image->root);
        image->root = g_strdup(path);
        return TRUE;
    }
    return tree_copy(image->root_fd, ".", AT_FDCWD, path, TREE_COPY_KEEP_OWNER, error);
}

static gboolean write_directory(ImageBuild *image, const char *path, GError **error) {
    if (!place_tree(image, path, error))
        return FALSE;
    if (image->config->foreign_uid_range && !tree_shift_owners(AT_FDCWD, path, FOREIGN_BASE, error)) {
        g_prefix_error(error, "ForeignUIDRange=: ");
        return FALSE;
    }
    if (image->config->source_date_epoch < 0)
        return TRUE;

    AUTO_FD tree = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (tree < 0)
        return set_errno_error(error, errno, "Cannot open %s", path);
    return tree_clamp_times(tree, image->config->source_date_epoch, error);
}

gboolean wants_split_tar(const ImageBuild *image) {
    return (image->config->split_artifacts & ARTIFACT_TAR) && image->config->format != OUTPUT_FORMAT_TAR &&
           image->config->format != OUTPUT_FORMAT_NONE;
}

gboolean step_split_tar(ImageBuild *image, GError **error) {
    g_autofree char *name = outputs_tar_name(image->config);
    g_autofree char *path = g_build_filename(image->places.staging, name, NULL);
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Archiving the tree");

    if (!outputs_check_free(image, name, error) || !write_tar(image, path, error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}

gboolean step_archive(ImageBuild *image, GError **error) {
    static const struct {
        OutputFormat format;
        gboolean (*write)(ImageBuild *image, const char *path, GError **error);
        const char *text;
    } writers[] = {
            {OUTPUT_FORMAT_CPIO, write_cpio, "Archiving the tree"},
            {OUTPUT_FORMAT_TAR, write_tar, "Archiving the tree"},
            {OUTPUT_FORMAT_OCI, outputs_write_oci, "Writing the OCI image"},
            {OUTPUT_FORMAT_DIRECTORY, write_directory, "Placing the tree"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(writers); i++) {
        if (writers[i].format != image->config->format)
            continue;
        g_autofree char *name = outputs_main_name(image->config);
        g_autoptr(EventsStep) step = events_step_begin(image->name, "%s", writers[i].text);
        image->output = g_build_filename(image->places.staging, name, NULL);
        if (!outputs_check_free(image, name, error) || !writers[i].write(image, image->output, error))
            return FALSE;
        events_step_done(g_steal_pointer(&step), NULL);
        break;
    }
    return TRUE;
}
