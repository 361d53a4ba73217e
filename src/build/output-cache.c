/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "build/output-cache.h"

#include <fcntl.h>

#include "build/layer.h"
#include "build/outputs.h"
#include "build/packages.h"
#include "tree/tree.h"
#include "ui/step.h"

/* Scripts with network could bring anything; what they do is not known beforehand. */
static gboolean is_cacheable(const ImageBuild *image) {
    const ImageConfig *config = image->config;

    return config->incremental != INCREMENTAL_NO && config->format == OUTPUT_FORMAT_CPIO &&
           config->make_initrd && !config->split_artifacts && !config->manifest_format &&
           !config->checksum && !config->with_network && !config->post_output_scripts[0] &&
           !config->volatile_packages[0] && !config->build_scripts[0];
}

static char *layer_name(const ImageBuild *image) {
    g_autofree char *key = image_config_expand_key(image->config, image->config->cache_key);
    return g_strconcat(key, ".output", NULL);
}

static gboolean add_trees(LayerInputs *inputs, RecipeTree **trees, GError **error) {
    for (guint i = 0; trees[i]; i++) {
        g_autofree char *label = g_strdup_printf("ExtraTrees[%u]", i);
        if (!layer_inputs_add_path(inputs, label, trees[i]->source, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_scripts(LayerInputs *inputs, const char *name, char *const *scripts, GError **error) {
    for (guint i = 0; scripts[i]; i++) {
        g_autofree char *label = g_strdup_printf("%s[%u]", name, i);
        if (!layer_inputs_add_path(inputs, label, scripts[i], error))
            return FALSE;
    }
    return TRUE;
}

static LayerInputs *output_inputs(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    g_autoptr(LayerInputs) inputs = packages_layer_inputs(image, error);
    g_autofree char *settings = NULL;
    const Certificate *certificate = image->build->verity_certificate;

    if (!inputs)
        return NULL;
    settings = packages_content_settings(config);
    layer_inputs_add(inputs, "settings", settings);
    layer_inputs_add(
            inputs, "verity certificate", certificate ? certificate_get_fingerprint(certificate) : NULL);
    if (!add_trees(inputs, config->extra_trees, error) ||
            !add_scripts(inputs, "PostInstallationScripts", config->post_installation_scripts, error) ||
            !add_scripts(inputs, "FinalizeScripts", config->finalize_scripts, error) ||
            !add_scripts(inputs, "EnvironmentFiles", config->environment_files, error))
        return NULL;
    return g_steal_pointer(&inputs);
}

gboolean output_cache_prepare(ImageBuild *image, gboolean *ret_reused, GError **error) {
    g_autoptr(LayerInputs) inputs = NULL;
    g_autofree char *cache = build_cache_directory(image->build, image->config);
    g_autofree char *name = layer_name(image);
    g_autofree char *main = outputs_main_name(image->config);
    g_autofree char *target = g_build_filename(image->staging, main, NULL);
    g_autofree char *layer = NULL;

    if (!is_cacheable(image) || image->build->recipe->arguments->force > 1)
        return TRUE;
    if (!(inputs = output_inputs(image, error)))
        return FALSE;
    if (!(layer = layer_lookup(cache, name, inputs, image->name)))
        return TRUE;
    if (!tree_copy(AT_FDCWD, layer, AT_FDCWD, target, 0, error) || !step_link(image, error))
        return FALSE;
    ui_step_done(ui_step_begin(image->name, "Building the initrd"), "unchanged, from the cache");
    *ret_reused = TRUE;
    return TRUE;
}

gboolean output_cache_store(ImageBuild *image, GError **error) {
    g_autoptr(LayerInputs) inputs = NULL;
    g_autofree char *cache = build_cache_directory(image->build, image->config);
    g_autofree char *name = layer_name(image);
    g_autofree char *copy = g_build_filename(image->directory, "output", NULL);
    g_autofree char *layer = NULL;

    if (!is_cacheable(image))
        return TRUE;
    if (!(inputs = output_inputs(image, error)) ||
            !tree_copy(AT_FDCWD, image->output, AT_FDCWD, copy, 0, error))
        return FALSE;
    layer = layer_store(cache, name, inputs, copy, error);
    return layer != NULL;
}
