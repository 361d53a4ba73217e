/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/boot/tree-uki.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "events/step.h"
#include "format/archive/cpio.h"
#include "format/efi/uki/uki-addon.h"
#include "pipeline/boot/boot-entry.h"
#include "pipeline/boot/boot-parts.h"
#include "pipeline/boot/boot.h"
#include "pipeline/boot/devicetree.h"
#include "pipeline/boot/uki-image.h"
#include "pipeline/state/boot-rules.h"
#include "pipeline/state/output-names.h"
#include "pipeline/state/staged-files.h"

gboolean wants_tree_uki(const ImageBuild *image) {
    return boot_format_is_tree_uki(image->config->format);
}

/* What goes beside the UKI on the boot partition does not go into it as well. */
static gboolean is_for_initrd(const char *path, mode_t mode, gpointer data) {
    const ImageBuild *image = data;

    return image->config->format != OUTPUT_FORMAT_ESP ||
           !(g_str_has_prefix(path, "boot/") || g_str_has_prefix(path, "efi/"));
}

static gboolean archive_tree(ImageBuild *image, int fd, GError **error) {
    const CpioOptions options = {
            .compression = outputs_compressor(image->config),
            .level = image->config->compress_level,
            .clamp_time = image->config->source_date_epoch,
    };
    g_autoptr(CpioWriter) writer = cpio_writer_new(fd, &options, error);

    return writer && cpio_writer_add_tree(writer, image->root_fd, "", is_for_initrd, image, error) &&
           cpio_writer_finish(writer, error);
}

/* One element: the tree as an archive, compressed as CompressOutput= says. */
static GPtrArray *tree_initrds(ImageBuild *image, GError **error) {
    g_autofree char *path = g_build_filename(image->places.directory, "tree-initrd", NULL);
    g_autoptr(GPtrArray) initrds = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Archiving the tree");
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0) {
        set_errno_error(error, errno, "Cannot create %s", path);
        return NULL;
    }
    if (!archive_tree(image, fd, error))
        return NULL;
    g_autoptr(GMappedFile) mapped = g_mapped_file_new(path, FALSE, error);
    if (!mapped)
        return NULL;
    g_ptr_array_add(initrds, g_mapped_file_get_bytes(mapped));
    events_step_done(g_steal_pointer(&step), NULL);
    return g_steal_pointer(&initrds);
}

static GBytes *build_uki(ImageBuild *image, const BootKernel *kernel, GError **error) {
    g_autoptr(GPtrArray) initrds = tree_initrds(image, error);
    g_autoptr(GPtrArray) devicetrees = initrds ? devicetrees_read(image, kernel->version, error) : NULL;
    g_autofree char *cmdline = g_strjoinv(" ", image->config->kernel_command_line);
    g_autoptr(GPtrArray) policies = NULL;
    g_autoptr(GBytes) uki = NULL;

    if (!devicetrees)
        return NULL;
    UkiParts parts = {
            .version = kernel->version,
            .kernel = kernel->image,
            .initrds = initrds,
            .cmdline = cmdline,
            .devicetrees = devicetrees,
    };
    uki = uki_assemble(image, &parts, &policies, error);
    if (!uki || !uki_write_artifacts(image, uki, policies, error))
        return NULL;
    return g_steal_pointer(&uki);
}

static gboolean missing(ImageBuild *image, const char *what, GError **error) {
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "Format=%s, but the image has no %s",
            output_format_to_string(image->config->format), what);
    return FALSE;
}

static gboolean check_parts(ImageBuild *image, GError **error) {
    if (image->boot.kernels->len == 0)
        return missing(image,
                "kernel (/usr/lib/modules/VERSION/vmlinuz); add a linux-image package to Packages=", error);
    return image->boot.stub ||
           missing(image,
                   "systemd-stub; add the package systemd-boot-efi (Debian 12: systemd-boot) to Packages=", error);
}

/* The same file name as in a disk, where there is no root hash. */
static gboolean place_on_esp(ImageBuild *image, const BootKernel *kernel, GBytes *uki, GError **error) {
    g_autofree char *path = boot_uki_path(image, kernel->version, error);
    return path && boot_write(image, path, uki, error);
}

static gboolean make_uki(ImageBuild *image, GError **error) {
    const BootKernel *kernel;
    g_autoptr(GBytes) uki = NULL;

    if (image->config->format == OUTPUT_FORMAT_ESP &&
            (image->config->bootable == FEATURE_DISABLED ||
                    (image->config->bootable == FEATURE_AUTO && image->boot.kernels->len == 0)))
        return TRUE;
    if (!check_parts(image, error))
        return FALSE;
    kernel = image->boot.kernels->pdata[0];
    if (!(uki = build_uki(image, kernel, error)))
        return FALSE;
    return image->config->format == OUTPUT_FORMAT_ESP ? place_on_esp(image, kernel, uki, error)
                                                      : staged_file_write_main(image, uki, error);
}

static gboolean tree_is_empty(ImageBuild *image) {
    g_autoptr(GPtrArray) names = list_directory_at(image->root_fd, ".", NULL);
    return !names || names->len == 0;
}

static gboolean make_addon(ImageBuild *image, GError **error) {
    g_autofree char *cmdline = g_strjoinv(" ", image->config->kernel_command_line);
    g_autoptr(GPtrArray) initrds = NULL;
    g_autoptr(GBytes) addon = NULL;

    if (!image->boot.stub)
        return missing(image,
                "addon stub (/usr/lib/systemd/boot/efi/addon*.efi.stub); Include=mkosi-addon takes it "
                "from this machine, the package systemd-boot-efi has it",
                error);
    if (!tree_is_empty(image) && !(initrds = tree_initrds(image, error)))
        return FALSE;
    UkiAddonSpec spec = {.stub = image->boot.stub, .cmdline = cmdline, .initrds = initrds};
    if (!(addon = uki_addon_build(&spec, error)))
        return FALSE;
    g_autoptr(GBytes) ready = boot_sign(image, addon, AUTHENTICODE_REPLACE, error);
    return ready && staged_file_write_main(image, ready, error);
}

gboolean step_tree_uki(ImageBuild *image, GError **error) {
    gboolean addon = image->config->format == OUTPUT_FORMAT_ADDON;
    g_autoptr(EventsStep) step = events_step_begin(
            image->name, addon ? "Assembling the addon" : "Assembling the unified kernel image");

    if (!(addon ? make_addon(image, error) : make_uki(image, error))) {
        g_prefix_error(error, "Cannot make the %s: ", addon ? "addon" : "unified kernel image");
        return FALSE;
    }
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}
