/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Format=oci. */

#include "pipeline/outputs/oci-image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "format/compress/compressor.h"
#include "format/oci/oci.h"
#include "pipeline/state/output-names.h"
#include "tree/tar-tree.h"

#define LAYER "layer" /* until its digest is known */

static gboolean io_failed(GError **error, const char *what, const char *path) {
    return set_errno_error(error, errno, "Cannot %s %s", what, path);
}

static void hash_input(gpointer stream, const void *data, gsize size) {
    sha256_update(stream, data, size);
}

/* The tree as compressed archive in FD; its digest before that, in hex. */
static char *archive_tree(ImageBuild *image, int fd, GError **error) {
    const ImageConfig *config = image->config;
    g_autoptr(Sha256) stream = sha256_new();
    g_autoptr(Compressor) compressor =
            compressor_new(fd, outputs_compressor(config), config->compress_level, 0, error);
    guint8 digest[SHA256_SIZE];

    if (!compressor)
        return NULL;
    compressor_on_input(compressor, hash_input, stream);
    if (!tar_write_tree(image->root_fd, compressor, config->source_date_epoch, error) ||
            !compressor_finish(compressor, error))
        return NULL;
    sha256_finish(stream, digest);
    return hex_encode(digest, sizeof digest);
}

static gboolean write_layer(ImageBuild *image, int dir_fd, OciLayer *layer, GError **error) {
    AUTO_FD fd = openat(dir_fd, LAYER, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    guint8 digest[SHA256_SIZE];
    struct stat info;

    if (fd < 0 || fchmod(fd, 0644) < 0)
        return io_failed(error, "create", LAYER);
    if (!(layer->diff_id = archive_tree(image, fd, error)) || !sha256_fd(fd, digest, error))
        return FALSE;
    if (fstat(fd, &info) < 0)
        return io_failed(error, "read", LAYER);
    layer->digest = hex_encode(digest, sizeof digest);
    layer->size = info.st_size;
    g_autofree char *path = oci_blob_path(layer->digest);
    return renameat(dir_fd, LAYER, dir_fd, path) == 0 || io_failed(error, "rename", LAYER);
}

static char **container_command(const ImageConfig *config) {
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();

    g_strv_builder_add(words, "/sbin/init");
    g_strv_builder_addv(words, (const char **) config->kernel_command_line);
    return g_strv_builder_end(words);
}

static const char *media_suffix(Compression compression) {
    switch (compression) {
    case COMPRESSION_GZ:
        return "+gzip";
    case COMPRESSION_ZSTD:
        return "+zstd";
    default:
        return "";
    }
}

static gboolean write_layout(ImageBuild *image, int dir_fd, GError **error) {
    const ImageConfig *config = image->config;
    g_auto(GStrv) command = container_command(config);
    OciImage oci = {
            .architecture = architecture_to_oci(config->architecture),
            .command = (const char *const *) command,
            .labels = (const char *const *) config->oci_labels,
            .annotations = (const char *const *) config->oci_annotations,
            .reference = config->image_id,
            .version = config->image_version,
            .author = "particleos",
            .created = config->source_date_epoch,
    };
    OciLayer layer = {.media_suffix = media_suffix(config->compress_output)};
    gboolean ok = oci_layout_begin(dir_fd, error) && write_layer(image, dir_fd, &layer, error) &&
                  oci_layout_finish(dir_fd, &oci, &layer, error);

    g_free(layer.diff_id);
    g_free(layer.digest);
    return ok;
}

gboolean outputs_write_oci(ImageBuild *image, const char *path, GError **error) {
    AUTO_FD dir_fd = -1;

    if (mkdir(path, 0755) < 0 || chmod(path, 0755) < 0)
        return io_failed(error, "make", path);
    if ((dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return io_failed(error, "open", path);
    if (write_layout(image, dir_fd, error))
        return TRUE;
    g_prefix_error(error, "Cannot write the OCI image: ");
    return FALSE;
}
