/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/outputs/compress.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/step.h"
#include "pipeline/state/output-names.h"

gboolean compress_check(const ImageConfig *config, GError **error) {
    const char *origin = recipe_setting_origin(config, "CompressLevel");
    int highest = compressor_max_level(outputs_compressor(config));

    if (config->compress_output == COMPRESSION_NONE || config->compress_level <= highest)
        return TRUE;
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
            "%s%sCompressLevel=%" G_GINT64_FORMAT ": the highest level of CompressOutput=%s is %d",
            origin ? origin : "", origin ? ": " : "", config->compress_level,
            compression_to_string(config->compress_output), highest);
    return FALSE;
}

static gboolean io_failed(GError **error, const char *what, const char *path) {
    return set_errno_error(error, errno, "Cannot %s %s", what, path);
}

/* FROM goes away. */
static gboolean compress_file(const ImageConfig *config, const char *from, const char *to, GError **error) {
    AUTO_FD input = open(from, O_RDONLY | O_CLOEXEC);
    AUTO_FD output = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (input < 0)
        return io_failed(error, "open", from);
    if (output < 0)
        return io_failed(error, "create", to);
    g_autoptr(Compressor) compressor =
            compressor_new(output, outputs_compressor(config), config->compress_level, 0, error);
    if (!compressor || !compressor_write_fd(compressor, input, error)) {
        g_prefix_error(error, "Cannot compress %s to %s: ", from, to);
        return FALSE;
    }
    return unlink(from) == 0 || io_failed(error, "remove", from);
}

/* Replaces *PATH by a compressed file, and the path by its name. */
static gboolean compress_in_place(ImageBuild *image, char **path, GError **error) {
    g_autofree char *to = g_strconcat(*path, outputs_compression_suffix(image->config), NULL);

    if (!compress_file(image->config, *path, to, error))
        return FALSE;
    g_free(*path);
    *path = g_steal_pointer(&to);
    return TRUE;
}

gboolean step_compress(ImageBuild *image, GError **error) {
    g_autoptr(EventsStep) step = NULL;

    /* Archives were compressed while they were written. */
    if (!outputs_are_disks(image->config) || !image->output || !*outputs_compression_suffix(image->config))
        return TRUE;
    step = events_step_begin(image->name, "Compressing the output");
    if (!compress_in_place(image, &image->output, error))
        return FALSE;
    for (guint i = 0; i < image->disk.split->len; i++)
        if (!compress_in_place(image, (char **) &image->disk.split->pdata[i], error))
            return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}
