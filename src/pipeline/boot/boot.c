/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/boot/boot.h"

#include "pipeline/integrity/offline.h"
#include "tree/tree.h"

GBytes *boot_sign(ImageBuild *image, GBytes *binary, AuthenticodeMode mode, GError **error) {
    if (!image->config->secure_boot)
        return g_bytes_ref(binary);
    if (!offline_check_format(image, error))
        return NULL;
    return authenticode_sign(
            binary, image->build->secure_boot_key, image->build->secure_boot_certificate, mode, error);
}

gboolean boot_write(ImageBuild *image, const char *path, GBytes *content, GError **error) {
    g_autofree char *parent = g_path_get_dirname(path);
    gsize length;
    const char *data = g_bytes_get_data(content, &length);

    return tree_mkdir_p(image->root_fd, parent, 0755, error) &&
           tree_write_file(image->root_fd, path, data, length, 0644, error);
}
