/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/packages/package-folder.h"

#include <fcntl.h>

#include "base/cleanup.h"
#include "distro/distro.h"
#include "pipeline/content/trees.h"
#include "tree/tree.h"

/* Scripts that see $PACKAGEDIR. */
static gboolean makes_packages(const ImageConfig *config) {
    return config->prepare_scripts[0] || config->build_scripts[0] || config->post_installation_scripts[0] ||
           config->finalize_scripts[0];
}

/* Images are built side by side, so each has a folder of its own: what is in it depends on the order of the
 * images and not on which of them is faster. */
gboolean package_folder_inherit(ImageBuild *image, GError **error) {
    for (guint i = 0; i < image->build->images->len; i++) {
        ImageBuild *earlier = image->build->images->pdata[i];
        if (earlier == image)
            break;
        if (!makes_packages(earlier->config))
            continue;
        if (!build_wait_for_image(earlier, error))
            return FALSE;
        if (!tree_copy(AT_FDCWD, earlier->places.packages, AT_FDCWD, image->places.packages, TREE_COPY_CONTENTS_ONLY,
                    error)) {
            g_prefix_error(error, "Cannot take over the packages that image %s made: ", earlier->name);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean has_packages(const char *directory) {
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    return dir && g_dir_read_name(dir);
}

gboolean package_folder_offer(ImageBuild *image, GError **error) {
    if (!trees_install_package_directories(image, error))
        return FALSE;
    return !image->distro || !has_packages(image->places.repository) ||
           distro_index_local_repository(image->distro, error);
}

gboolean step_offer_packages(ImageBuild *image, GError **error) {
    return !has_packages(image->places.packages) || package_folder_offer(image, error);
}
