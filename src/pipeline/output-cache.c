/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/output-cache.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/compare.h"
#include "crypto/certificates/certificate.h"
#include "events/step.h"
#include "pipeline/layers/inputs.h"
#include "pipeline/layers/layer.h"
#include "pipeline/outputs/publish.h"
#include "pipeline/packages/packages.h"
#include "pipeline/state/cache-places.h"
#include "pipeline/state/output-names.h"
#include "tree/tree.h"

/* Scripts with network could bring anything; what they do is not known beforehand. */
static gboolean is_cacheable(const ImageBuild *image) {
    const ImageConfig *config = image->config;

    return config->incremental != INCREMENTAL_NO && config->format == OUTPUT_FORMAT_CPIO &&
           config->make_initrd && !config->split_artifacts && !config->manifest_format &&
           !config->checksum && !config->with_network && !config->post_output_scripts[0] &&
           !config->volatile_packages[0] && !config->build_scripts[0] && !config->base_trees[0];
}

static char *layer_name(const ImageBuild *image) {
    return build_layer_name(image->config, ".output");
}

static gboolean uses_host_modules(const ImageConfig *config) {
    return config->kernel_modules_include_host || config->kernel_modules_initrd_include_host ||
           (config->kernel_modules && g_strv_contains((const char *const *) config->kernel_modules, "host")) ||
           (config->kernel_initrd_modules &&
                   g_strv_contains((const char *const *) config->kernel_initrd_modules, "host"));
}

char *output_cache_host_modules(const ImageConfig *config) {
    g_autofree char *text = NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    if (!uses_host_modules(config) || !g_file_get_contents("/proc/modules", &text, NULL, NULL))
        return NULL;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        g_ptr_array_add(names, g_strndup(*line, strcspn(*line, " ")));
    g_ptr_array_sort(names, compare_strings);
    g_ptr_array_add(names, NULL);
    return g_strjoinv("\n", (char **) names->pdata);
}

static LayerInputs *output_inputs(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    g_autoptr(LayerInputs) inputs = packages_layer_inputs(image, error);
    const Certificate *certificate = image->build->verity_certificate;
    g_autofree char *modules = output_cache_host_modules(config);

    if (!inputs)
        return NULL;
    inputs_add_configuration(inputs, image);
    layer_inputs_add(
            inputs, "verity certificate", certificate ? certificate_get_fingerprint(certificate) : NULL);
    if (modules)
        layer_inputs_add(inputs, "modules of this machine", modules);
    if (!inputs_add_trees(inputs, "ExtraTrees", config->extra_trees, config->source_date_epoch, error) ||
            !inputs_add_paths(inputs, "PostInstallationScripts", config->post_installation_scripts, error) ||
            !inputs_add_paths(inputs, "FinalizeScripts", config->finalize_scripts, error))
        return NULL;
    if ((config->post_installation_scripts[0] || config->finalize_scripts[0]) &&
            !inputs_add_sources(inputs, image, error))
        return NULL;
    return g_steal_pointer(&inputs);
}

gboolean output_cache_prepare(ImageBuild *image, gboolean *ret_reused, GError **error) {
    g_autoptr(LayerInputs) inputs = NULL;
    g_autofree char *cache = build_cache_directory(image->build, image->config);
    g_autofree char *name = layer_name(image);
    g_autofree char *main = outputs_main_name(image->config);
    g_autofree char *target = g_build_filename(image->places.staging, main, NULL);
    g_autofree char *layer = NULL;

    if (!is_cacheable(image))
        return TRUE;
    /* Held until the output is stored, or copied. */
    if ((image->layers.output_lock = layer_lock(cache, name, image->name, error)) < 0)
        return FALSE;
    if (image->build->options.force > 1)
        return TRUE;
    if (!(inputs = output_inputs(image, error)))
        return FALSE;
    if (!(layer = layer_lookup(cache, name, inputs, image->name)))
        return TRUE;
    if (!tree_copy(AT_FDCWD, layer, AT_FDCWD, target, 0, error) || !step_link(image, error))
        return FALSE;
    events_step_done(events_step_begin(image->name, "Building the initrd"), "unchanged, from the cache");
    cleanup_fd(&image->layers.output_lock);
    *ret_reused = TRUE;
    return TRUE;
}

gboolean output_cache_store(ImageBuild *image, GError **error) {
    g_autoptr(LayerInputs) inputs = NULL;
    g_autofree char *cache = build_cache_directory(image->build, image->config);
    g_autofree char *name = layer_name(image);
    g_autofree char *copy = g_build_filename(image->places.directory, "output", NULL);
    g_autofree char *layer = NULL;

    if (!is_cacheable(image))
        return TRUE;
    if (!(inputs = output_inputs(image, error)) ||
            !tree_copy(AT_FDCWD, image->output, AT_FDCWD, copy, 0, error))
        return FALSE;
    layer = layer_store(cache, name, inputs, copy, error);
    cleanup_fd(&image->layers.output_lock);
    return layer != NULL;
}
