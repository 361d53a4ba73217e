/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/state/image-build.h"

#include "pipeline/state/output-names.h"

G_DEFINE_QUARK(particleos - build - error - quark, build_error)

ImageBuild *build_find_image(Build *build, const char *name) {
    for (guint i = 0; i < build->images->len; i++) {
        ImageBuild *image = build->images->pdata[i];
        if (g_str_equal(image->name, name))
            return image;
    }
    return NULL;
}

gboolean build_wait_for_image(ImageBuild *image, GError **error) {
    Build *build = image->build;
    gboolean failed;

    g_mutex_lock(&build->lock);
    while (!image->finished)
        g_cond_wait(&build->changed, &build->lock);
    failed = image->failed;
    g_mutex_unlock(&build->lock);
    if (failed)
        g_set_error(
                error, BUILD_ERROR, BUILD_ERROR_DEPENDENCY, "image %s, which is needed, was not built", image->name);
    return !failed;
}

ImageBuild *build_find_output(Build *build, const char *path) {
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *base = g_path_get_basename(path);

    for (guint i = 0; i < build->images->len; i++) {
        ImageBuild *image = build->images->pdata[i];
        g_autofree char *main = outputs_main_name(image->config);
        g_autofree char *output = g_canonicalize_filename(image_config_output_directory(image->config), NULL);

        if (g_str_equal(output, directory) && (g_str_equal(base, image->config->output) || g_str_equal(base, main)))
            return image;
    }
    return NULL;
}

char *build_resolve_output(Build *build, const char *path, GError **error) {
    ImageBuild *image = build_find_output(build, path);
    g_autofree char *main = image ? outputs_main_name(image->config) : NULL;

    if (!image)
        return g_strdup(path);
    return build_wait_for_image(image, error) ? g_build_filename(image->places.staging, main, NULL) : NULL;
}
