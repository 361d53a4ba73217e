/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/packages/packages.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "distro/distro.h"
#include "events/step.h"
#include "pipeline/content/base-trees.h"
#include "pipeline/content/systemd-tools.h"
#include "pipeline/content/trees.h"
#include "pipeline/kernel/kernel.h"
#include "pipeline/kernel/module-index.h"
#include "pipeline/layers/build-overlay.h"
#include "pipeline/layers/inputs.h"
#include "pipeline/layers/layer.h"
#include "pipeline/scripts/scripts.h"
#include "pipeline/state/boot-rules.h"
#include "pipeline/state/build-options.h"
#include "pipeline/state/cache-places.h"
#include "tree/tree.h"

/* An image has the distribution's base even if the recipe names no package; extensions and images over other
 * trees bring none, and what only runs build scripts needs one to run them in. */
static gboolean has_base(const ImageConfig *config) {
    if (config->base_trees[0] || boot_tree_is_partial(config) || config->distribution == DISTRIBUTION_CUSTOM)
        return FALSE;
    return config->format != OUTPUT_FORMAT_NONE || config->build_scripts[0];
}

gboolean packages_are_used(const ImageBuild *image) {
    const ImageConfig *config = image->config;
    return has_base(config) || config->packages[0] || config->volatile_packages[0] ||
           config->prepare_scripts[0] || (config->build_scripts[0] && config->build_packages[0]);
}

static gboolean must_sync(ImageBuild *image, gboolean newest) {
    const ImageConfig *config = image->config;

    if (config->cache_only == CACHE_ONLY_ALWAYS || config->cache_only == CACHE_ONLY_METADATA)
        return FALSE;
    if (newest || config->cache_only == CACHE_ONLY_NEVER || !distro_have_metadata(image->distro))
        return TRUE;
    /* As long as a recipe is worked on, its packages stay the same; -ff and a build without cache look for
     * new ones. */
    return config->incremental == INCREMENTAL_NO || image->build->options.force > 1;
}

gboolean packages_sync(Build *build, gboolean newest, GError **error) {
    g_autoptr(GHashTable) done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < build->images->len; i++) {
        ImageBuild *image = build->images->pdata[i];
        if (!image->distro || !packages_are_used(image))
            continue;
        gboolean sync = must_sync(image, newest);
        if (!g_hash_table_add(done, distro_repositories(image->distro)))
            continue;
        if (!sync) {
            if (!distro_check_metadata(image->distro, error))
                return FALSE;
            continue;
        }

        g_autoptr(EventsStep) step = events_step_begin(image->name, "Fetching metadata of %s %s",
                distribution_to_string(image->config->distribution), image->config->release);
        if (!distro_sync(image->distro, error))
            return FALSE;
        events_step_done(g_steal_pointer(&step), NULL);
        if (!distro_check_metadata(image->distro, error))
            return FALSE;
    }
    return TRUE;
}

/* Resolving is the same as long as repositories' metadata, the wish and the configuration are the same. */
char *packages_resolved_text(ImageBuild *image, const char *root, char *const *packages, GError **error) {
    gboolean bootstrap = !root && has_base(image->config);
    g_autoptr(GPtrArray) resolved = distro_resolve(image->distro, root, packages, bootstrap, error);
    GString *text;

    if (!resolved)
        return NULL;
    text = g_string_new(NULL);
    for (guint i = 0; i < resolved->len; i++) {
        const DistroPackage *package = resolved->pdata[i];
        g_string_append_printf(text, "%s %s\n", package->file, package->digest);
    }
    return g_string_free(text, FALSE);
}

/* What repositories offer matters when prepare scripts install something. */
#define OFFERED "repositories"

static gboolean add_tools(LayerInputs *inputs, const ImageBuild *image, GError **error) {
    const char *tools = image->config->tools_tree ? image->config->tools_tree : "/";

    for (const char *const *program = distro_programs(image->distro); *program; program++) {
        g_autofree char *path = g_build_filename(tools, *program, NULL);
        if (!layer_inputs_add_path(inputs, *program, path, -1, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_installation(LayerInputs *inputs, ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    g_autofree char *packages = NULL, *configuration = NULL;

    if (!(packages = packages_resolved_text(image, NULL, config->packages, error)))
        return FALSE;
    layer_inputs_add(inputs, "resolved packages", packages);
    configuration = distro_image_configuration(image->distro);
    layer_inputs_add(inputs, "configuration of the package manager in the image", configuration);
    inputs_add_number(inputs, "WithDocs", config->with_docs);
    inputs_add_list(inputs, "Packages", config->packages);
    return add_tools(inputs, image, error);
}

LayerInputs *packages_layer_inputs(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    g_autoptr(LayerInputs) inputs = layer_inputs_new();

    layer_inputs_add(inputs, "Distribution", distribution_to_string(config->distribution));
    layer_inputs_add(inputs, "Release", config->release);
    layer_inputs_add(inputs, "Architecture", architecture_to_string(config->architecture));
    /* Maintainer scripts see it, too. */
    inputs_add_list(inputs, "Environment", config->environment);
    if (!inputs_add_paths(inputs, "EnvironmentFiles", config->environment_files, error) ||
            !inputs_add_trees(
                    inputs, "SkeletonTrees", config->skeleton_trees, config->source_date_epoch, error) ||
            !inputs_add_trees(inputs, "SandboxTrees", config->sandbox_trees, -1, error) ||
            !inputs_add_paths(inputs, "PrepareScripts", config->prepare_scripts, error) ||
            ((has_base(config) || config->packages[0]) && !add_installation(inputs, image, error)))
        return NULL;
    if (config->prepare_scripts[0]) {
        g_autofree char *offered = distro_metadata_digest(image->distro);

        inputs_add_configuration(inputs, image);
        layer_inputs_add(inputs, OFFERED, offered);
        if (!inputs_add_sources(inputs, image, error))
            return NULL;
    }
    return g_steal_pointer(&inputs);
}

static gboolean contains_file(const GPtrArray *packages, const char *file) {
    for (guint i = 0; i < packages->len; i++)
        if (g_str_equal(((const DistroPackage *) packages->pdata[i])->file, file))
            return TRUE;
    return FALSE;
}

GPtrArray *packages_expect(ImageBuild *image, char *const *more, GError **error) {
    const ImageConfig *config = image->config;
    g_autoptr(GPtrArray) wanted = g_ptr_array_new();

    if (!has_base(config) && !config->packages[0] && (!more || !more[0]))
        return g_ptr_array_new_with_free_func((GDestroyNotify) distro_package_free);
    for (char **package = config->packages; *package; package++)
        g_ptr_array_add(wanted, *package);
    for (char *const *package = more; package && *package; package++)
        g_ptr_array_add(wanted, *package);
    g_ptr_array_add(wanted, NULL);
    g_autoptr(GPtrArray) all =
            distro_resolve(image->distro, NULL, (char **) wanted->pdata, has_base(config), error);
    g_autoptr(GPtrArray) installed = all && more ? packages_expect(image, NULL, error) : NULL;
    for (guint i = 0; installed && i < all->len;)
        if (contains_file(installed, ((DistroPackage *) all->pdata[i])->file))
            g_ptr_array_remove_index(all, i);
        else
            i++;
    return more && !installed ? NULL : g_steal_pointer(&all);
}

static void show_progress(guint done, guint total, const char *what, gpointer data) {
    events_step_update(data, "%s", what);
    events_step_progress(data, total > 0 ? (double) done / total : 0, 0);
}

static gboolean download_packages(ImageBuild *image, GError **error) {
    g_autoptr(EventsStep) step = NULL;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&image->build->package_cache_lock);

    step = events_step_begin(image->name, "Downloading packages");
    if (!distro_download(image->distro, NULL, image->config->packages, TRUE, error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}

/* Every machine makes its own of these; maintainer scripts make them at random. What a skeleton tree brings
 * is meant. */
static gboolean forget_machine(ImageBuild *image, gboolean named, GError **error) {
    static const char *const files[] = {"etc/machine-info", "var/lib/dbus/machine-id",
            "var/lib/systemd/credential.secret", "var/lib/systemd/random-seed"};

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
        if (!tree_remove_glob(image->root_fd, files[i], error))
            return FALSE;
    if (named || !tree_exists(image->root_fd, "etc"))
        return TRUE;
    return tree_write_file(image->root_fd, "etc/machine-id", "uninitialized\n", -1, 0444, error);
}

/* What every system has before its packages look around: places for the ESP and for boot loader entries,
 * which are only ever mounted over, and the word that kernel-install shall make such entries. */
static gboolean place_boot_directories(ImageBuild *image, GError **error) {
    return tree_mkdir_p(image->root_fd, "efi", 0500, error) &&
           tree_mkdir_p(image->root_fd, "boot", 0500, error) &&
           tree_mkdir_p(image->root_fd, "boot/loader", 0700, error) &&
           tree_write_file(image->root_fd, "boot/loader/entries.srel", "type1\n", -1, 0600, error);
}

/* The base comes first and is set up completely, so that the scripts of all other packages can rely on it.
 */
static gboolean install_packages(ImageBuild *image, GError **error) {
    char *const *packages = image->config->packages;
    gboolean named = tree_exists(image->root_fd, "etc/machine-id");
    g_autoptr(EventsStep) step = NULL;

    if (!has_base(image->config))
        return !packages[0] ||
               distro_install(image->distro, image->root, packages, FALSE, NULL, NULL, error);
    if (!download_packages(image, error))
        return FALSE;
    step = events_step_begin(image->name, "Installing packages");
    if (!distro_install(image->distro, image->root, NULL, TRUE, show_progress, step, error) ||
            !forget_machine(image, named, error) || !place_boot_directories(image, error) ||
            (packages[0] && !distro_install(image->distro, image->root, packages, FALSE, show_progress, step,
                                    error)) ||
            !forget_machine(image, named, error))
        return FALSE;

    g_autoptr(GPtrArray) installed = distro_installed(image->distro, image->root, error);
    if (!installed)
        return FALSE;
    events_step_done(g_steal_pointer(&step), "%u packages", installed->len);
    return TRUE;
}

static gboolean install_distribution(ImageBuild *image, GError **error) {
    if (image->layers.bases)
        return !image->config->packages[0] || packages_install_over(image, image->root,
                                                      image->config->packages, "Installing packages", error);
    return install_packages(image, error);
}

static char *installed_text(const ImageBuild *image, GError **error) {
    g_autoptr(GPtrArray) installed = distro_installed(image->distro, image->root, error);
    GString *text = installed ? g_string_new(NULL) : NULL;

    for (guint i = 0; text && i < installed->len; i++) {
        const DistroInstalled *package = installed->pdata[i];
        g_string_append_printf(text, "%s %s %s\n", package->name, package->version, package->architecture);
    }
    return text ? g_string_free(text, FALSE) : NULL;
}

/* INPUTS may be NULL. */
static gboolean run_prepare_scripts(ImageBuild *image, LayerInputs *inputs, GError **error) {
    g_autofree char *before = NULL, *after = NULL;

    if (!inputs || !image->config->prepare_scripts[0])
        return scripts_run_prepare(image, error);
    if (!(before = installed_text(image, error)) || !scripts_run_prepare(image, error) ||
            !(after = installed_text(image, error)))
        return FALSE;
    if (g_str_equal(before, after))
        layer_inputs_set_unused(inputs, OFFERED);
    return TRUE;
}

/* Skeleton trees, packages, prepare scripts, and what only depends on those. */
static gboolean make_base_tree(ImageBuild *image, LayerInputs *inputs, GError **error) {
    return trees_install_skeleton(image, error) && install_distribution(image, error) &&
           run_prepare_scripts(image, inputs, error) && kernel_place_images(image, error) &&
           module_index_make(image, FALSE, error) && systemd_tools_hwdb(image, error);
}

static char *layer_name(const ImageBuild *image) {
    return build_layer_name(image->config, "");
}

static gboolean open_root(ImageBuild *image, GError **error) {
    image->root_fd = open(image->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (image->root_fd >= 0)
        return TRUE;
    return set_errno_error(error, errno, "Cannot open %s", image->root);
}

static char *image_subdirectory(ImageBuild *image, const char *name, GError **error) {
    g_autofree char *path = g_build_filename(image->places.directory, name, NULL);
    if (g_mkdir(path, 0755) < 0) {
        set_errno_error(error, errno, "Cannot create %s", path);
        return NULL;
    }
    return g_steal_pointer(&path);
}

/* Lays a writable tree over the cached LAYER: the cache itself never changes. */
static gboolean mount_over_layer(ImageBuild *image, char *layer, GError **error) {
    g_autofree char *upper = image_subdirectory(image, "upper", error);
    g_autofree char *work = upper ? image_subdirectory(image, "work", error) : NULL;
    g_autofree char *target = work ? image_subdirectory(image, "merged", error) : NULL;
    char *const lowers[] = {layer, NULL};
    int used = layer_use(layer, error);

    if (used < 0)
        return FALSE;
    g_array_append_val(image->layers.used, used);
    if (!target || !tree_mount_overlay(lowers, upper, work, target, error)) {
        g_prefix_error(error, "Cannot lay a tree over the cached layer %s: ", layer);
        return FALSE;
    }
    if (image->root_fd >= 0)
        close(image->root_fd);
    g_free(image->root);
    image->root = g_steal_pointer(&target);
    image->layers.mounted = TRUE;
    return open_root(image, error);
}

static gboolean make_and_store(ImageBuild *image, LayerInputs *inputs, const char *cache, const char *name,
        char **ret_layer, GError **error) {
    image->root = image_subdirectory(image, "root", error);
    if (!image->root || !open_root(image, error) || !make_base_tree(image, inputs, error))
        return FALSE;
    if (!cache)
        return TRUE;
    *ret_layer = layer_store(cache, name, inputs, image->root, error);
    return *ret_layer != NULL;
}

gboolean packages_are_cached(ImageBuild *image) {
    g_autofree char *cache = build_cache_directory(image->build, image->config);
    g_autofree char *name = layer_name(image);
    g_autoptr(LayerInputs) inputs = NULL;
    g_autofree char *layer = NULL;

    if (image->config->incremental == INCREMENTAL_NO ||
            (packages_are_used(image) && !distro_have_metadata(image->distro)))
        return FALSE;
    if ((inputs = packages_layer_inputs(image, NULL)))
        layer = layer_lookup(cache, name, inputs, image->name);
    return layer != NULL;
}

gboolean packages_ignore_repositories(ImageBuild *image) {
    g_autofree char *cache = build_cache_directory(image->build, image->config);
    g_autofree char *name = layer_name(image);
    g_autoptr(LayerInputs) inputs = NULL;
    g_autofree char *layer = NULL;

    /* What prepare scripts do to the build overlay is not known. */
    if (image->config->incremental == INCREMENTAL_NO || image->config->base_trees[0] || wants_build_overlay(image) ||
            !(inputs = packages_layer_inputs(image, NULL)))
        return FALSE;
    layer = layer_lookup(cache, name, inputs, image->name);
    return layer && layer_inputs_is_unused(inputs, OFFERED);
}

static gboolean refuse_new_layer(const ImageBuild *image, GError **error) {
    if (image->build->options.rerun_build_scripts)
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "--rerun-build-scripts: there is no cached layer that fits; build the whole image with -f");
    else
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "Incremental=strict, but there is no cached layer that fits; make one with -ff");
    return FALSE;
}

gboolean step_base_layer(ImageBuild *image, GError **error) {
    const BuildOptions *options = &image->build->options;
    gboolean strict = (image->config->incremental == INCREMENTAL_STRICT && options->force < 2) ||
                      options->rerun_build_scripts;
    gboolean incremental = image->config->incremental != INCREMENTAL_NO;
    g_autoptr(LayerInputs) inputs = NULL;
    g_autofree char *cache = incremental ? build_cache_directory(image->build, image->config) : NULL;
    g_autofree char *name = layer_name(image);
    g_autofree char *layer = NULL;

    /* What base trees hold may change at any time, so nothing that was made over them is kept. */
    if (image->config->base_trees[0])
        return base_trees_mount(image, error) && make_base_tree(image, NULL, error);
    AUTO_FD lock = -1;
    if (incremental) {
        if (!(inputs = packages_layer_inputs(image, error)) ||
                (lock = layer_lock(cache, name, image->name, error)) < 0)
            return FALSE;
        if (options->force < 2)
            layer = layer_lookup(cache, name, inputs, image->name);
    }
    image->layers.reused = layer != NULL;
    if (image->layers.reused)
        events_step_done(events_step_begin(image->name, "Installing packages"), "unchanged, from the cache");
    else if (strict)
        return refuse_new_layer(image, error);
    else if (!make_and_store(image, inputs, cache, name, &layer, error))
        return FALSE;
    if (inputs)
        image->layers.base_key = g_strdup(layer_inputs_key(inputs));
    return !layer || mount_over_layer(image, layer, error);
}

gboolean wants_volatile_packages(const ImageBuild *image) {
    return image->config->volatile_packages[0] != NULL;
}

gboolean packages_install_over(
        ImageBuild *image, const char *root, char *const *packages, const char *what, GError **error) {
    g_autoptr(EventsStep) step = events_step_begin(image->name, "%s", what);
    gboolean downloaded;

    g_mutex_lock(&image->build->package_cache_lock);
    downloaded = distro_download(image->distro, root, packages, FALSE, error);
    g_mutex_unlock(&image->build->package_cache_lock);
    if (!downloaded || !distro_install(image->distro, root, packages, FALSE, show_progress, step, error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}

gboolean step_volatile_packages(ImageBuild *image, GError **error) {
    return packages_install_over(
            image, image->root, image->config->volatile_packages, "Installing volatile packages", error);
}

gboolean wants_remove_packages(const ImageBuild *image) {
    return image->config->remove_packages[0] != NULL;
}

gboolean step_remove_packages(ImageBuild *image, GError **error) {
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Removing packages");

    if (!distro_remove(image->distro, image->root, image->config->remove_packages, error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}

gboolean wants_forget_installation(const ImageBuild *image) {
    return has_base(image->config);
}

gboolean step_forget_installation(ImageBuild *image, GError **error) {
    /* ldconfig makes it again when it wants it. */
    return tree_remove_glob(image->root_fd, "/var/cache/ldconfig/aux-cache", error) &&
           distro_forget_installation(image->distro, image->root, error);
}

gboolean wants_clean_metadata(const ImageBuild *image) {
    const ImageConfig *config = image->config;

    if (config->clean_package_metadata != FEATURE_AUTO)
        return config->clean_package_metadata == FEATURE_ENABLED;
    /* A tree without the package manager has no use for its databases. */
    return config->format != OUTPUT_FORMAT_DIRECTORY && config->format != OUTPUT_FORMAT_TAR &&
           !distro_has_manager(image->distro, image->root_fd);
}

gboolean step_clean_metadata(ImageBuild *image, GError **error) {
    return distro_clean_metadata(image->distro, image->root_fd, error);
}
