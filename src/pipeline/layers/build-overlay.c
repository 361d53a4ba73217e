/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/layers/build-overlay.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/events.h"
#include "events/step.h"
#include "pipeline/layers/inputs.h"
#include "pipeline/layers/layer.h"
#include "pipeline/packages/packages.h"
#include "pipeline/scripts/scripts.h"
#include "tree/tree.h"

static gboolean uses_build_packages(const ImageBuild *image) {
    return image->config->build_scripts[0] && image->config->build_packages[0];
}

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

/* PATH of a part of the overlay that is thrown away (or not). */
static char *overlay_directory(ImageBuild *image, gboolean is_volatile) {
    return g_build_filename(image->directory, is_volatile ? "build-run" : "build-overlay", NULL);
}

char *build_overlay_mount(ImageBuild *image, gboolean is_volatile, GError **error) {
    g_autofree char *directory = overlay_directory(image, is_volatile);
    g_autofree char *upper = make_directory(image, directory, "upper", error);
    g_autofree char *work = upper ? make_directory(image, directory, "work", error) : NULL;
    g_autofree char *target = work ? make_directory(image, directory, "merged", error) : NULL;
    gboolean layered = is_volatile && image->build_layer;
    char *const lowers[] = {layered ? image->build_layer : image->root, layered ? image->root : NULL, NULL};

    if (target && tree_mount_overlay(lowers, upper, work, target, error))
        return g_steal_pointer(&target);
    g_prefix_error(error, "Cannot lay the build overlay over the tree: ");
    return NULL;
}

gboolean build_overlay_unmount(const char *root, GError **error) {
    return tree_unmount(root, error);
}

/* Everything that shapes the layer: the tree below, and the packages. Prepare scripts and all that they see
 * are inputs of the tree below already. */
static LayerInputs *overlay_inputs(ImageBuild *image, GError **error) {
    g_autoptr(LayerInputs) inputs = layer_inputs_new();

    layer_inputs_add(inputs, "base layer", image->base_key);
    if (image->config->prepare_scripts[0]) {
        g_autofree char *offered = distro_metadata_digest(image->distro);
        layer_inputs_add(inputs, "repositories", offered);
    }
    inputs_add_list(inputs, "BuildPackages", image->config->build_packages);
    if (uses_build_packages(image)) {
        g_autofree char *packages =
                packages_resolved_text(image, image->root, image->config->build_packages, error);
        if (!packages)
            return NULL;
        layer_inputs_add(inputs, "resolved build packages", packages);
    }
    return g_steal_pointer(&inputs);
}

static gboolean install_packages(ImageBuild *image, const char *root, GError **error) {
    if (!uses_build_packages(image))
        return TRUE;
    return packages_install_over(
            image, root, image->config->build_packages, "Installing build packages", error);
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
    g_autofree char *directory = overlay_directory(image, FALSE);

    if (!fill_overlay(image, error))
        return FALSE;
    image->build_layer = g_build_filename(directory, "upper", NULL);
    return TRUE;
}

/* Makes the layer in the cache's own file system, so that it can be moved there with all its marks. */
static gboolean make_cached_layer(
        ImageBuild *image, LayerInputs *inputs, const char *cache, const char *name, GError **error) {
    g_autofree char *made = NULL;

    if (!make_layer(image, error))
        return FALSE;
    made = g_steal_pointer(&image->build_layer);
    image->build_layer = layer_store(cache, name, inputs, made, error);
    return image->build_layer != NULL;
}

/* The layer is used after its name may belong to another one. */
static gboolean keep_layer(ImageBuild *image, GError **error) {
    int used = layer_use(image->build_layer, error);

    if (used < 0)
        return FALSE;
    g_array_append_val(image->used_layers, used);
    g_free(image->build_layer);
    image->build_layer = g_strdup_printf("/proc/self/fd/%d", used);
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
    gboolean strict = (config->incremental == INCREMENTAL_STRICT && options->force < 2) ||
                      options->rerun_build_scripts;
    g_autofree char *cache = build_cache_directory(image->build, config);
    g_autofree char *name = build_layer_name(config, ".build");
    g_autoptr(LayerInputs) inputs = NULL;

    if (!image->base_key)
        return make_layer(image, error);
    if (!(inputs = overlay_inputs(image, error)))
        return FALSE;
    AUTO_FD lock = layer_lock(cache, name, image->name, error);
    if (lock < 0)
        return FALSE;
    /* A tree that was made anew need not be what it was, although its inputs are. */
    if (image->reused)
        image->build_layer = layer_lookup(cache, name, inputs, image->name);
    else
        events_debug("%s: layer %s is made anew, because the tree below it was", image->name, name);
    if (image->build_layer) {
        events_step_done(events_step_begin(image->name, "Installing build packages"), "unchanged, from the cache");
        return keep_layer(image, error);
    }
    return strict ? refuse_strict(image, error)
                  : make_cached_layer(image, inputs, cache, name, error) && keep_layer(image, error);
}
