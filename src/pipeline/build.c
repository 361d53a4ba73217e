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
#include "pipeline/boot/boot-keys.h"
#include "pipeline/full-disk.h"
#include "pipeline/integrity/manifest-signer.h"
#include "pipeline/output-cache.h"
#include "pipeline/outputs/disk-image.h"
#include "pipeline/packages/package-folder.h"
#include "pipeline/packages/packages.h"
#include "pipeline/prepare.h"
#include "pipeline/scripts/scripts.h"
#include "pipeline/staging.h"
#include "pipeline/state/image-build.h"
#include "pipeline/steps.h"
#include "tree/tree.h"
#include "tree/workspace.h"

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

gboolean build_run(const Recipe *recipe, const BuildOptions *options, KeySession *session, GError **error) {
    g_autoptr(Build) build = build_new(recipe, options, error);
    g_autoptr(GPtrArray) stagings = stagings_new();

    if (!build)
        return FALSE;
    build->key_session = session;
    gboolean ok = boot_load_keys(build, error) && manifest_signer_load(build, error) &&
                  staging_open(build, stagings, error) && build_run_sync_scripts(build, error) &&
                  check_definitions(build, error) && build_open_images(build, error) &&
                  packages_sync(build, FALSE, error) && run_images(build, error) && staging_publish(build, error);
    if (!ok)
        full_disk_explain(recipe->main, workspace_path(build->workspace), error);
    return ok;
}
