/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/task.h"
#include "pipeline/integrity/offline.h"
#include "pipeline/layers/masks.h"
#include "pipeline/outputs/publish.h"
#include "pipeline/scripts/scripts.h"
#include "pipeline/state/output-conflicts.h"
#include "tree/workspace.h"

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
static gboolean open_staging(Staging *staging, const Recipe *recipe, const char *directory, GError **error) {
    if (masks_is_dedicated(recipe, directory)) {
        staging->workspace = workspace_new(directory, error);
        return staging->workspace != NULL;
    }
    staging->parent = g_build_filename(directory, MASKS_UNFINISHED, NULL);
    for (int attempt = 0; !staging->workspace; attempt++) {
        g_autoptr(GError) problem = NULL;
        staging->workspace = workspace_new(staging->parent, &problem);
        /* Another build may just have removed it. */
        if (staging->workspace || (attempt < 100 && access(staging->parent, F_OK) < 0 && access(directory, W_OK) == 0))
            continue;
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    return TRUE;
}

static gboolean make_directory(const char *directory, GError **error) {
    return g_mkdir_with_parents(directory, 0755) == 0 || set_errno_error(error, errno, "Cannot create %s", directory);
}

gboolean staging_open(Build *build, GPtrArray *stagings, GError **error) {
    for (guint i = 0; i < build->images->len; i++) {
        ImageBuild *image = build->images->pdata[i];
        const char *directory = image_config_output_directory(image->config);
        Staging *staging = g_new0(Staging, 1);

        g_ptr_array_add(stagings, staging);
        if (!make_directory(directory, error) || !open_staging(staging, build->recipe, directory, error)) {
            g_prefix_error(error, "Cannot prepare the output directory %s: ", directory);
            return FALSE;
        }
        if (!(image->places.staging = workspace_mkdir(staging->workspace, "staging", error)))
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

gboolean staging_publish(Build *build, GError **error) {
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

GPtrArray *stagings_new(void) {
    return g_ptr_array_new_with_free_func(staging_free);
}
