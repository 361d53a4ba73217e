/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The step that archives the tree, for formats that are archives. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "build/outputs.h"
#include "format/cpio.h"
#include "ui/cleanup.h"
#include "ui/step.h"

static gboolean compressor_kind(Compression compression, CompressorKind *ret) {
    switch (compression) {
    case COMPRESSION_NONE:
        *ret = COMPRESSOR_NONE;
        return TRUE;
    case COMPRESSION_ZSTD:
        *ret = COMPRESSOR_ZSTD;
        return TRUE;
    case COMPRESSION_GZ:
        *ret = COMPRESSOR_GZIP;
        return TRUE;
    default:
        return FALSE;
    }
}

static gboolean write_cpio(ImageBuild *image, GError **error) {
    CpioOptions options = {
            .level = image->config->compress_level,
            .clamp_time = image->config->source_date_epoch,
    };
    AUTO_FD output = open(image->output, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (output < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "Cannot create %s: %s",
                image->output, g_strerror(errno));
        return FALSE;
    }
    if (!compressor_kind(image->config->compress_output, &options.compression)) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_NOT_IMPLEMENTED,
                "CompressOutput=%s is not implemented yet for Format=cpio; use zstd, gz or none",
                compression_to_string(image->config->compress_output));
        return FALSE;
    }
    return cpio_write_tree(image->root_fd, output, &options, error);
}

gboolean step_archive(ImageBuild *image, GError **error) {
    g_autofree char *name = outputs_main_name(image->config);
    g_autoptr(UiStep) step = NULL;

    if (image->config->format == OUTPUT_FORMAT_DISK || image->config->format == OUTPUT_FORMAT_NONE)
        return TRUE;
    if (image->config->format != OUTPUT_FORMAT_CPIO) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_NOT_IMPLEMENTED,
                "Format=%s is not implemented yet; use disk, cpio or none",
                output_format_to_string(image->config->format));
        return FALSE;
    }
    step = ui_step_begin(image->name, "Archiving the tree");
    image->output = g_build_filename(image->staging, name, NULL);
    if (!write_cpio(image, error))
        return FALSE;
    ui_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}
