/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/layers/build-overlay.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#include "base/errors.h"
#include "tree/tree.h"

gboolean wants_build_overlay(const ImageBuild *image) {
    return image->config->build_scripts[0] &&
           (image->config->build_packages[0] || image->config->prepare_scripts[0]);
}

/* A new directory in the image's workspace, as open as the tree's root directory. */
static char *make_directory(ImageBuild *image, const char *parent, const char *name, GError **error) {
    g_autofree char *path = g_build_filename(parent, name, NULL);
    struct stat info;

    if (g_mkdir_with_parents(path, 0755) == 0 && stat(image->root, &info) == 0 &&
            g_chmod(path, info.st_mode & 0777) == 0)
        return g_steal_pointer(&path);
    set_errno_error(error, errno, "Cannot create %s", path);
    return NULL;
}

char *build_overlay_directory(ImageBuild *image, gboolean is_volatile) {
    return g_build_filename(image->places.directory, is_volatile ? "build-run" : "build-overlay", NULL);
}

char *build_overlay_mount(ImageBuild *image, gboolean is_volatile, GError **error) {
    g_autofree char *directory = build_overlay_directory(image, is_volatile);
    g_autofree char *upper = make_directory(image, directory, "upper", error);
    g_autofree char *work = upper ? make_directory(image, directory, "work", error) : NULL;
    g_autofree char *target = work ? make_directory(image, directory, "merged", error) : NULL;
    gboolean layered = is_volatile && image->layers.build_layer;
    char *const lowers[] = {layered ? image->layers.build_layer : image->root, layered ? image->root : NULL, NULL};

    if (target && tree_mount_overlay(lowers, upper, work, target, error))
        return g_steal_pointer(&target);
    g_prefix_error(error, "Cannot lay the build overlay over the tree: ");
    return NULL;
}

gboolean build_overlay_unmount(const char *root, GError **error) {
    return tree_unmount(root, error);
}
