/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/build.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/events.h"
#include "events/task.h"
#include "pipeline/boot/boot-parts.h"
#include "pipeline/boot/boot.h"
#include "pipeline/content/trees.h"
#include "pipeline/full-disk.h"
#include "pipeline/integrity/manifest-signer.h"
#include "pipeline/integrity/offline.h"
#include "pipeline/layers/masks.h"
#include "pipeline/outputs/output-cache.h"
#include "pipeline/packages/package-folder.h"
#include "pipeline/packages/packages.h"
#include "pipeline/scripts/scripts.h"
#include "pipeline/staging/outputs.h"
#include "pipeline/state/image-build.h"
#include "tree/tree.h"

G_DEFINE_QUARK(particleos - build - error - quark, build_error)

void build_free(Build *build) {
    if (!build)
        return;
    /* Images lie in the workspace. */
    g_ptr_array_unref(build->images);
    key_source_unref(build->verity_key);
    key_source_unref(build->secure_boot_key);
    certificate_unref(build->verity_certificate);
    certificate_unref(build->secure_boot_certificate);
    openpgp_key_free(build->manifest_key);
    offline_stop(build);
    if (build->workspace && build->options.keep_workspace)
        workspace_keep(build->workspace);
    g_clear_pointer(&build->workspace, workspace_free);
    g_mutex_clear(&build->lock);
    g_mutex_clear(&build->package_cache_lock);
    g_cond_clear(&build->changed);
    g_free(build);
}

char *build_user_cache_directory(void) {
    const char *cache = g_getenv("CACHE_DIRECTORY");

    if (cache && *cache)
        return g_build_filename(cache, "mkosi", NULL);
    if (sandbox_caller_uid() == 0 && !g_getenv("XDG_CACHE_HOME"))
        return g_strdup("/var/cache/mkosi");
    return g_build_filename(g_get_user_cache_dir(), "mkosi", NULL);
}

char *build_layer_name(const ImageConfig *config, const char *suffix) {
    g_autofree char *key = image_config_expand_key(config, config->cache_key);
    g_autofree char *profiles = g_strjoinv("+", config->profiles);
    gboolean named = recipe_setting_origin(config, "CacheKey") || !*profiles;

    return g_strconcat(key, named ? "" : "~", named ? "" : profiles, suffix, NULL);
}

char *build_cache_directory(const Build *build, const ImageConfig *config) {
    return config->cache_directory ? g_strdup(config->cache_directory) : build_user_cache_directory();
}

char *build_package_cache_directory(const ImageConfig *config) {
    g_autofree char *cache = build_user_cache_directory();
    g_autofree char *key = g_strdup_printf("%s~%s~%s", distribution_to_string(config->distribution),
            config->release, architecture_to_string(config->architecture));
    return g_build_filename(
            config->package_cache_directory ? config->package_cache_directory : cache, key, NULL);
}

static char *find_workspace_parent(const ImageConfig *config, GError **error) {
    /* Beside the cache, so that finished layers are moved and not copied. */
    gboolean caches = config->incremental != INCREMENTAL_NO && config->cache_directory;
    return workspace_parent(
            config->workspace_directory, caches ? config->cache_directory : WORKSPACE_FALLBACK, error);
}

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
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_DEPENDENCY, "image %s, which is needed, was not built",
                image->name);
    return !failed;
}

ImageBuild *build_find_output(Build *build, const char *path) {
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *base = g_path_get_basename(path);

    for (guint i = 0; i < build->images->len; i++) {
        ImageBuild *image = build->images->pdata[i];
        g_autofree char *main = outputs_main_name(image->config);
        g_autofree char *output =
                g_canonicalize_filename(image_config_output_directory(image->config), NULL);

        if (g_str_equal(output, directory) &&
                (g_str_equal(base, image->config->output) || g_str_equal(base, main)))
            return image;
    }
    return NULL;
}

char *build_resolve_output(Build *build, const char *path, GError **error) {
    ImageBuild *image = build_find_output(build, path);
    g_autofree char *main = image ? outputs_main_name(image->config) : NULL;

    if (!image)
        return g_strdup(path);
    return build_wait_for_image(image, error) ? g_build_filename(image->staging, main, NULL) : NULL;
}

static char *make_directory(const char *parent, const char *name, GError **error) {
    g_autofree char *path = g_build_filename(parent, name, NULL);

    if (g_mkdir_with_parents(path, 0755) == 0)
        return g_steal_pointer(&path);
    set_errno_error(error, errno, "Cannot create %s", path);
    return NULL;
}

static gboolean open_session(ImageBuild *image, GError **error) {
    g_autofree char *packages = build_package_cache_directory(image->config);
    g_autofree char *workspace = make_directory(image->directory, "distro", error);
    DistroSessionOptions options = {
            .workspace = workspace,
            .sandbox_tree = image->sandbox_tree,
            .package_cache = packages,
            .local_repository = image->repository,
            .tools_tree = image->config->tools_tree,
            .debug = events_debug_enabled(),
    };

    if (!workspace || g_mkdir_with_parents(packages, 0755) < 0) {
        if (workspace)
            set_errno_error(error, errno, "Cannot create the package cache %s", packages);
        return FALSE;
    }
    image->distro = distro_session_new(image->config, &options, error);
    return image->distro != NULL;
}

ImageBuild *image_build_new(Build *build, const ImageConfig *config, GError **error) {
    ImageBuild *image = g_new0(ImageBuild, 1);
    const char *workspace = workspace_path(build->workspace);

    image->build = build;
    image->config = config;
    image->name = config->image;
    image->root_fd = image->output_lock = -1;
    image->used_layers = g_array_new(FALSE, FALSE, sizeof(int));
    image->split_files = g_ptr_array_new_with_free_func(g_free);
    image->microcode = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    image->kernels = g_ptr_array_new_with_free_func(boot_kernel_free);
    image->boot_loaders = g_ptr_array_new_with_free_func(boot_file_free);
    image->shim = g_ptr_array_new_with_free_func(boot_file_free);
    if (!(image->directory = make_directory(workspace, config->image, error)) ||
            !(image->packages = make_directory(image->directory, "packages", error)) ||
            !(image->artifacts = make_directory(image->directory, "artifacts", error)) ||
            !(image->repository = make_directory(image->directory, "repository", error))) {
        image_build_free(image);
        return NULL;
    }
    return image;
}

/* Everything that is read from the recipe's trees when the build begins. */
static gboolean open_image(ImageBuild *image, GError **error) {
    return trees_install_sandbox(image, error) && open_session(image, error);
}

static gboolean close_image(ImageBuild *image, GError **error) {
    AUTO_FD directory = open(image->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    g_clear_pointer(&image->distro, distro_session_free);
    g_clear_pointer(&image->sandbox_tree, g_free);
    return tree_remove(directory, "sandbox", error) && tree_remove(directory, "distro", error);
}

/* Sync scripts may bring what the recipe names, so that nothing else is read before them. */
gboolean build_run_sync_scripts(Build *build, GError **error) {
    for (guint i = 0; i < build->images->len; i++) {
        ImageBuild *image = build->images->pdata[i];
        if (!image->config->sync_scripts[0])
            continue;
        if (!open_image(image, error) || !scripts_run_sync(image, packages_are_cached(image), error) ||
                !close_image(image, error))
            return FALSE;
    }
    return TRUE;
}

/* Before anything is downloaded. */
static gboolean check_definitions(Build *build, GError **error) {
    for (guint i = 0; i < build->images->len; i++) {
        ImageBuild *image = build->images->pdata[i];
        if (!scripts_want_image(image) || scripts_end_build(image) || disk_image_check_definitions(image, error))
            continue;
        g_prefix_error(error, "Cannot build image %s: ", image->name);
        return FALSE;
    }
    return TRUE;
}

gboolean build_open_images(Build *build, GError **error) {
    for (guint i = 0; i < build->images->len; i++)
        if (!open_image(build->images->pdata[i], error))
            return FALSE;
    return TRUE;
}

void image_build_free(ImageBuild *image) {
    if (!image)
        return;
    g_clear_pointer(&image->disk, disk_free);
    disk_image_clear_options(image);
    if (image->root_fd >= 0)
        close(image->root_fd);
    if (image->mounted)
        (void) tree_unmount(image->root, NULL);
    g_clear_pointer(&image->distro, distro_session_free);
    g_clear_pointer(&image->kernels, g_ptr_array_unref);
    g_clear_pointer(&image->stub, g_bytes_unref);
    g_clear_pointer(&image->boot_loaders, g_ptr_array_unref);
    g_clear_pointer(&image->shim, g_ptr_array_unref);
    g_clear_pointer(&image->os_release, g_bytes_unref);
    g_clear_pointer(&image->splash, g_bytes_unref);
    g_clear_pointer(&image->split_files, g_ptr_array_unref);
    g_clear_pointer(&image->waiting, g_ptr_array_unref);
    g_clear_pointer(&image->early_things, g_ptr_array_unref);
    g_clear_pointer(&image->early_requests, g_ptr_array_unref);
    g_clear_pointer(&image->bases, g_ptr_array_unref);
    g_clear_pointer(&image->microcode, g_ptr_array_unref);
    g_clear_pointer(&image->installed, g_ptr_array_unref);
    g_clear_error(&image->error);
    g_free(image->directory);
    g_free(image->staging);
    g_free(image->root);
    g_free(image->sandbox_tree);
    g_free(image->packages);
    g_free(image->artifacts);
    g_free(image->repository);
    for (guint i = 0; image->used_layers && i < image->used_layers->len; i++)
        close(g_array_index(image->used_layers, int, i));
    g_clear_pointer(&image->used_layers, g_array_unref);
    if (image->output_lock >= 0)
        close(image->output_lock);
    g_free(image->build_layer);
    g_free(image->destination);
    g_free(image->base_key);
    g_free(image->kernel_version);
    g_free(image->usr_hash);
    g_free(image->root_hash);
    g_free(image->output);
    g_free(image->changelog);
    g_free(image->extension);
    g_free(image);
}

/* The default initrd is only needed when the UKI is put together, so it is built beside the images that use
 * it. */
static gboolean wait_for_dependencies(ImageBuild *image, GError **error) {
    for (char **name = image->config->dependencies; *name; name++) {
        ImageBuild *dependency = build_find_image(image->build, *name);
        if (!dependency || g_str_equal(*name, "default-initrd"))
            continue;
        if (!build_wait_for_image(dependency, error))
            return FALSE;
    }
    return package_folder_inherit(image, error);
}

static gboolean run_steps(ImageBuild *image, GError **error) {
    for (const BuildStep *step = build_steps; step->name; step++) {
        if (task_is_cancelled(task_current())) {
            g_set_error(error, BUILD_ERROR, BUILD_ERROR_FAILED, "Interrupted");
            return FALSE;
        }
        if (!step->wanted || step->wanted(image)) {
            events_debug("%s: step %s", image->name, step->name);
            if (!step->run(image, error))
                return FALSE;
        }
        if (step->last && step->last(image))
            return TRUE;
    }
    return TRUE;
}

static gboolean build_image(ImageBuild *image, GError **error) {
    gboolean reused = FALSE;

    if (!scripts_want_image(image))
        return TRUE;
    if (!wait_for_dependencies(image, error) || !package_folder_offer(image, error) ||
            !output_cache_prepare(image, &reused, error))
        return FALSE;
    if (reused)
        return TRUE;
    return step_base_layer(image, error) && run_steps(image, error) && output_cache_store(image, error);
}

static gpointer image_thread(gpointer data) {
    ImageBuild *image = data;
    gboolean ok = build_image(image, &image->error);

    full_disk_explain(image->config, workspace_path(image->build->workspace), &image->error);
    g_mutex_lock(&image->build->lock);
    image->finished = TRUE;
    image->failed = !ok;
    g_cond_broadcast(&image->build->changed);
    g_mutex_unlock(&image->build->lock);
    return NULL;
}

/* The first error that is not just about another image's error. */
static gboolean collect_errors(Build *build, GError **error) {
    ImageBuild *culprit = NULL;

    for (guint i = 0; i < build->images->len; i++) {
        ImageBuild *image = build->images->pdata[i];
        if (!image->failed)
            continue;
        if (!culprit || g_error_matches(culprit->error, BUILD_ERROR, BUILD_ERROR_DEPENDENCY))
            culprit = image;
    }
    if (!culprit)
        return TRUE;
    g_propagate_prefixed_error(
            error, g_steal_pointer(&culprit->error), "Cannot build image %s: ", culprit->name);
    return FALSE;
}

static gboolean run_images(Build *build, GError **error) {
    for (guint i = 0; i < build->images->len; i++) {
        ImageBuild *image = build->images->pdata[i];
        image->thread = task_thread_new(image->name, image_thread, image);
    }
    for (guint i = 0; i < build->images->len; i++)
        g_thread_join(((ImageBuild *) build->images->pdata[i])->thread);
    return collect_errors(build, error);
}

typedef struct {
    Workspace *workspace;
    char *parent; /* made for workspaces, to be removed by the last of them; or NULL */
} Staging;

static void staging_free(gpointer data) {
    Staging *staging = data;

    workspace_free(staging->workspace);
    if (staging->parent)
        (void) rmdir(staging->parent);
    g_free(staging->parent);
    g_free(staging);
}

/* Beside sources, what is not finished has a place with a fixed name, so that it can be hidden from scripts that
 * run at the same time. */
static gboolean open_staging(
        Staging *staging, const Recipe *recipe, const char *directory, GError **error) {
    if (masks_is_dedicated(recipe, directory)) {
        staging->workspace = workspace_new(directory, error);
        return staging->workspace != NULL;
    }
    staging->parent = g_build_filename(directory, MASKS_UNFINISHED, NULL);
    for (int attempt = 0; !staging->workspace; attempt++) {
        g_autoptr(GError) problem = NULL;
        staging->workspace = workspace_new(staging->parent, &problem);
        /* Another build may just have removed it. */
        if (staging->workspace || (attempt < 100 && access(staging->parent, F_OK) < 0 &&
                                          access(directory, W_OK) == 0))
            continue;
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    return TRUE;
}

/* Staging is on the file system of the output directory, so that results are renamed into place. */
static gboolean make_staging(Build *build, GPtrArray *stagings, GError **error) {
    for (guint i = 0; i < build->images->len; i++) {
        ImageBuild *image = build->images->pdata[i];
        const char *directory = image_config_output_directory(image->config);
        g_autofree char *made = make_directory(directory, "", error);
        Staging *staging = g_new0(Staging, 1);

        g_ptr_array_add(stagings, staging);
        if (!made || !open_staging(staging, build->recipe, directory, error)) {
            g_prefix_error(error, "Cannot prepare the output directory %s: ", directory);
            return FALSE;
        }
        if (!(image->staging = workspace_mkdir(staging->workspace, "staging", error)))
            return FALSE;
    }
    return TRUE;
}

/* One build after the other: results that have the same names replace each other as a whole. */
static int lock_outputs(const ImageConfig *config, GError **error) {
    const char *directory = image_config_output_directory(config);
    AUTO_FD fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result;

    do
        result = fd < 0 ? -1 : flock(fd, LOCK_EX);
    while (result < 0 && errno == EINTR && !task_is_cancelled(task_current()));
    if (result == 0)
        return steal_fd(&fd);
    set_errno_error(error, errno, "Cannot lock the output directory %s", directory);
    return -1;
}

static gboolean publish_all(Build *build, GError **error) {
    AUTO_FD lock = lock_outputs(build->recipe->main, error);

    if (lock < 0)
        return FALSE;
    if (!outputs_check_made(build, error) || !offline_check_found(build, error))
        return FALSE;
    for (guint i = 0; i < build->images->len; i++) {
        ImageBuild *image = build->images->pdata[i];
        if (!scripts_end_build(image) && !outputs_publish(image, error))
            return FALSE;
    }
    return TRUE;
}

static void free_image(gpointer image) {
    image_build_free(image);
}

Build *build_new(const Recipe *recipe, const BuildOptions *options, GError **error) {
    g_autoptr(Build) build = g_new0(Build, 1);
    g_autofree char *parent = find_workspace_parent(recipe->main, error);

    build->recipe = recipe;
    build->options = *options;
    build->images = g_ptr_array_new_with_free_func(free_image);
    offline_start(build);
    g_mutex_init(&build->lock);
    g_mutex_init(&build->package_cache_lock);
    g_cond_init(&build->changed);
    if (!parent || !(build->workspace = workspace_new(parent, error)))
        return NULL;
    for (ImageConfig **config = recipe->images; *config; config++) {
        ImageBuild *image = image_build_new(build, *config, error);
        if (!image)
            return NULL;
        g_ptr_array_add(build->images, image);
    }
    return g_steal_pointer(&build);
}

gboolean build_run(const Recipe *recipe, const BuildOptions *options, KeySession *session, GError **error) {
    g_autoptr(Build) build = build_new(recipe, options, error);
    g_autoptr(GPtrArray) stagings = g_ptr_array_new_with_free_func(staging_free);

    if (!build)
        return FALSE;
    build->key_session = session;
    gboolean ok = boot_load_keys(build, error) && manifest_signer_load(build, error) &&
                  make_staging(build, stagings, error) && build_run_sync_scripts(build, error) &&
                  check_definitions(build, error) && build_open_images(build, error) &&
                  packages_sync(build, FALSE, error) && run_images(build, error) && publish_all(build, error);
    if (!ok)
        full_disk_explain(recipe->main, workspace_path(build->workspace), error);
    return ok;
}

char *build_output_path(const ImageConfig *config) {
    g_autofree char *name = outputs_main_name(config);
    return g_build_filename(image_config_output_directory(config), name, NULL);
}
