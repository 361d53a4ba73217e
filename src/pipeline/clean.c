/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/clean.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "pipeline/layers/compression-cache.h"
#include "pipeline/layers/layer.h"
#include "pipeline/outputs/publish.h"
#include "pipeline/scripts/scripts.h"
#include "pipeline/state/cache-places.h"
#include "pipeline/state/image-build.h"
#include "pipeline/tools-tree.h"
#include "tree/tree.h"

static gboolean remove_layers(const Build *build, const ImageConfig *config, GError **error) {
    static const char *const suffixes[] = {"", ".build", ".kernel-modules", ".output"};
    g_autofree char *cache = build_cache_directory(build, config);

    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *name = build_layer_name(config, suffixes[i]);
        if (!layer_remove(cache, name, error))
            return FALSE;
    }
    return compression_cache_remove(build, config, error);
}

/* The directory itself is the user's. */
static gboolean empty_build_directory(const ImageConfig *config, GError **error) {
    const char *path = config->build_subdirectory;
    g_autoptr(GPtrArray) names = path ? list_directory(path, NULL) : NULL;

    if (!names)
        return TRUE;
    AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (guint i = 0; i < names->len; i++)
        if (!tree_remove(fd, names->pdata[i], error)) {
            g_prefix_error(error, "Cannot empty the build directory %s: ", path);
            return FALSE;
        }
    return TRUE;
}

gboolean build_wipe_build_directories(const Recipe *recipe, GError **error) {
    for (ImageConfig **config = recipe->images; *config; config++)
        if (!empty_build_directory(*config, error))
            return FALSE;
    return TRUE;
}

gboolean build_run_clean_scripts(const Recipe *recipe, GError **error) {
    for (ImageConfig **config = recipe->images; *config; config++)
        if (!scripts_run_clean(recipe, *config, error))
            return FALSE;
    return TRUE;
}

gboolean build_clean(const Recipe *recipe, int force, GError **error) {
    Build build = {.recipe = recipe};

    for (ImageConfig **config = recipe->images; *config; config++) {
        const char *directory = image_config_output_directory(*config);
        g_autofree char *packages = build_package_cache_directory(*config);

        if (!outputs_remove(*config, directory, error) ||
                (force > 0 && !remove_layers(&build, *config, error)) ||
                (force > 1 && !tree_remove(AT_FDCWD, packages, error)) ||
                !scripts_run_clean(recipe, *config, error))
            return FALSE;
    }
    return force == 0 || (tools_tree_clean(recipe, error) && build_wipe_build_directories(recipe, error));
}
