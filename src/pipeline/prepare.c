/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "crypto/certificates/certificate.h"
#include "crypto/sources/key-source.h"
#include "distro/distro.h"
#include "events/events.h"
#include "format/openpgp/openpgp.h"
#include "image/disk/disk.h"
#include "pipeline/boot/boot-parts.h"
#include "pipeline/content/trees.h"
#include "pipeline/integrity/offline.h"
#include "pipeline/outputs/disk-image.h"
#include "pipeline/packages/packages.h"
#include "pipeline/scripts/scripts.h"
#include "pipeline/state/build-options.h"
#include "pipeline/state/cache-places.h"
#include "tree/tree.h"
#include "tree/workspace.h"

static char *find_workspace_parent(const ImageConfig *config, GError **error) {
    /* Beside the cache, so that finished layers are moved and not copied. */
    gboolean caches = config->incremental != INCREMENTAL_NO && config->cache_directory;
    return workspace_parent(config->workspace_directory, caches ? config->cache_directory : WORKSPACE_FALLBACK, error);
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
    g_autofree char *workspace = make_directory(image->places.directory, "distro", error);
    DistroSessionOptions options = {
            .workspace = workspace,
            .sandbox_tree = image->places.sandbox_tree,
            .package_cache = packages,
            .local_repository = image->places.repository,
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

static void image_build_free(ImageBuild *image) {
    if (!image)
        return;
    g_clear_pointer(&image->disk.disk, disk_free);
    disk_image_clear_options(image);
    if (image->root_fd >= 0)
        close(image->root_fd);
    if (image->layers.mounted)
        ignore_failure(tree_unmount(image->root, NULL));
    g_clear_pointer(&image->distro, distro_session_free);
    g_clear_pointer(&image->boot.kernels, g_ptr_array_unref);
    g_clear_pointer(&image->boot.stub, g_bytes_unref);
    g_clear_pointer(&image->boot.boot_loaders, g_ptr_array_unref);
    g_clear_pointer(&image->boot.shim, g_ptr_array_unref);
    g_clear_pointer(&image->os_release, g_bytes_unref);
    g_clear_pointer(&image->boot.splash, g_bytes_unref);
    g_clear_pointer(&image->disk.split, g_ptr_array_unref);
    g_clear_pointer(&image->elsewhere.waiting, g_ptr_array_unref);
    g_clear_pointer(&image->elsewhere.early_things, g_ptr_array_unref);
    g_clear_pointer(&image->elsewhere.early_requests, g_ptr_array_unref);
    g_clear_pointer(&image->layers.bases, g_ptr_array_unref);
    g_clear_pointer(&image->boot.microcode, g_ptr_array_unref);
    g_clear_pointer(&image->installed, g_ptr_array_unref);
    g_clear_error(&image->error);
    g_free(image->places.directory);
    g_free(image->places.staging);
    g_free(image->root);
    g_free(image->places.sandbox_tree);
    g_free(image->places.packages);
    g_free(image->places.artifacts);
    g_free(image->places.repository);
    for (guint i = 0; image->layers.used && i < image->layers.used->len; i++)
        close(g_array_index(image->layers.used, int, i));
    g_clear_pointer(&image->layers.used, g_array_unref);
    if (image->layers.output_lock >= 0)
        close(image->layers.output_lock);
    g_free(image->layers.build_layer);
    g_free(image->places.destination);
    g_free(image->layers.base_key);
    g_free(image->boot.kernel_version);
    g_free(image->disk.usr_hash);
    g_free(image->disk.root_hash);
    g_free(image->output);
    g_free(image->changelog);
    g_free(image->extension);
    g_free(image);
}

static ImageBuild *image_build_new(Build *build, const ImageConfig *config, GError **error) {
    ImageBuild *image = g_new0(ImageBuild, 1);
    const char *workspace = workspace_path(build->workspace);

    image->build = build;
    image->config = config;
    image->name = config->image;
    image->root_fd = image->layers.output_lock = -1;
    image->layers.used = g_array_new(FALSE, FALSE, sizeof(int));
    image->disk.split = g_ptr_array_new_with_free_func(g_free);
    image->boot.microcode = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    image->boot.kernels = g_ptr_array_new_with_free_func(boot_kernel_free);
    image->boot.boot_loaders = g_ptr_array_new_with_free_func(boot_file_free);
    image->boot.shim = g_ptr_array_new_with_free_func(boot_file_free);
    if (!(image->places.directory = make_directory(workspace, config->image, error)) ||
            !(image->places.packages = make_directory(image->places.directory, "packages", error)) ||
            !(image->places.artifacts = make_directory(image->places.directory, "artifacts", error)) ||
            !(image->places.repository = make_directory(image->places.directory, "repository", error))) {
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
    AUTO_FD directory = open(image->places.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    g_clear_pointer(&image->distro, distro_session_free);
    g_clear_pointer(&image->places.sandbox_tree, g_free);
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

gboolean build_open_images(Build *build, GError **error) {
    for (guint i = 0; i < build->images->len; i++)
        if (!open_image(build->images->pdata[i], error))
            return FALSE;
    return TRUE;
}

static void free_image(gpointer image) {
    image_build_free(image);
}

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
