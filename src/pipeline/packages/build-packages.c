/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/packages/build-packages.h"

#include "base/cleanup.h"
#include "distro/distro.h"
#include "events/events.h"
#include "events/step.h"
#include "pipeline/layers/build-overlay.h"
#include "pipeline/layers/inputs.h"
#include "pipeline/layers/layer.h"
#include "pipeline/packages/packages.h"
#include "pipeline/scripts/scripts.h"
#include "pipeline/state/build-options.h"
#include "pipeline/state/cache-places.h"

static gboolean uses_build_packages(const ImageBuild *image) {
    return image->config->build_scripts[0] && image->config->build_packages[0];
}

/* Everything that shapes the layer: the tree below, and the packages. Prepare scripts and all that they see
 * are inputs of the tree below already. */
static LayerInputs *overlay_inputs(ImageBuild *image, GError **error) {
    g_autoptr(LayerInputs) inputs = layer_inputs_new();

    layer_inputs_add(inputs, "base layer", image->layers.base_key);
    if (image->config->prepare_scripts[0]) {
        g_autofree char *offered = distro_metadata_digest(image->distro);
        layer_inputs_add(inputs, "repositories", offered);
    }
    inputs_add_list(inputs, "BuildPackages", image->config->build_packages);
    if (uses_build_packages(image)) {
        g_autofree char *packages = packages_resolved_text(image, image->root, image->config->build_packages, error);
        if (!packages)
            return NULL;
        layer_inputs_add(inputs, "resolved build packages", packages);
    }
    return g_steal_pointer(&inputs);
}

static gboolean install_packages(ImageBuild *image, const char *root, GError **error) {
    if (!uses_build_packages(image))
        return TRUE;
    return packages_install_over(image, root, image->config->build_packages, "Installing build packages", error);
}

static gboolean fill_overlay(ImageBuild *image, GError **error) {
    g_autofree char *root = build_overlay_mount(image, FALSE, error);
    gboolean ok;

    if (!root)
        return FALSE;
    ok = install_packages(image, root, error) && scripts_run_prepare_build(image, root, error);
    return build_overlay_unmount(root, ok ? error : NULL) && ok;
}

static gboolean make_layer(ImageBuild *image, GError **error) {
    g_autofree char *directory = build_overlay_directory(image, FALSE);

    if (!fill_overlay(image, error))
        return FALSE;
    image->layers.build_layer = g_build_filename(directory, "upper", NULL);
    return TRUE;
}

/* Makes the layer in the cache's own file system, so that it can be moved there with all its marks. */
static gboolean make_cached_layer(
        ImageBuild *image, LayerInputs *inputs, const char *cache, const char *name, GError **error) {
    g_autofree char *made = NULL;

    if (!make_layer(image, error))
        return FALSE;
    made = g_steal_pointer(&image->layers.build_layer);
    image->layers.build_layer = layer_store(cache, name, inputs, made, error);
    return image->layers.build_layer != NULL;
}

/* The layer is used after its name may belong to another one. */
static gboolean keep_layer(ImageBuild *image, GError **error) {
    int used = layer_use(image->layers.build_layer, error);

    if (used < 0)
        return FALSE;
    g_array_append_val(image->layers.used, used);
    g_free(image->layers.build_layer);
    image->layers.build_layer = g_strdup_printf("/proc/self/fd/%d", used);
    return TRUE;
}

static gboolean refuse_strict(const ImageBuild *image, GError **error) {
    if (image->build->options.rerun_build_scripts)
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "--rerun-build-scripts: the cached build packages do not fit any more; build the whole "
                "image with -f");
    else
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "Incremental=strict, but there are no cached build packages that fit; make them with -ff");
    return FALSE;
}

gboolean step_build_overlay(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    const BuildOptions *options = &image->build->options;
    gboolean strict = (config->incremental == INCREMENTAL_STRICT && options->force < 2) || options->rerun_build_scripts;
    g_autofree char *cache = build_cache_directory(image->build, config);
    g_autofree char *name = build_layer_name(config, ".build");
    g_autoptr(LayerInputs) inputs = NULL;

    if (!image->layers.base_key)
        return make_layer(image, error);
    if (!(inputs = overlay_inputs(image, error)))
        return FALSE;
    AUTO_FD lock = layer_lock(cache, name, image->name, error);
    if (lock < 0)
        return FALSE;
    /* A tree that was made anew need not be what it was, although its inputs are. */
    if (image->layers.reused)
        image->layers.build_layer = layer_lookup(cache, name, inputs, image->name);
    else
        events_debug("%s: layer %s is made anew, because the tree below it was", image->name, name);
    if (image->layers.build_layer) {
        events_step_done(events_step_begin(image->name, "Installing build packages"), "unchanged, from the cache");
        return keep_layer(image, error);
    }
    return strict ? refuse_strict(image, error)
                  : make_cached_layer(image, inputs, cache, name, error) && keep_layer(image, error);
}
