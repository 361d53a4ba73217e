/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/coordinator/private.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/model/results/objects.h"
#include "kitchen/model/results/releases.h"

/* What was not published is kept for so long. */
#define UNPUBLISHED_KEPT (14 * G_GINT64_CONSTANT(86400000))
/* Files removed in one go: the loop waits meanwhile. */
#define OBJECTS_MAX 200

static gboolean is_live(GPtrArray *live, const Release *release) {
    for (guint i = 0; i < live->len; i++)
        if (((const Release *) live->pdata[i])->id == release->id)
            return TRUE;
    return FALSE;
}

/* Lets go of what is older than the newest releases, and offered to nobody; adds the sets of those that stay to KEPT, by target. */
static gboolean retire(
        Coordinator *coordinator, const Channel *channel, gint64 target, GHashTable *kept, GError **error) {
    g_autoptr(GPtrArray) live = release_list_live(coordinator->model, channel->id, error);
    g_autoptr(GPtrArray) releases = live ? release_list(coordinator->model, channel->id, TRUE, error) : NULL;

    for (guint i = 0; releases && i < releases->len; i++) {
        const Release *release = releases->pdata[i];
        g_autoptr(GError) failure = NULL;
        char *set = NULL;

        if (i >= RELEASES_KEPT && !is_live(live, release)) {
            if (!release_removed(coordinator->model, release->id, error))
                return FALSE;
            continue;
        }
        set = release_set_get(coordinator->model, release->id, target, &failure);
        if (set)
            g_hash_table_add(kept, set);
        if (!model_check(failure, error))
            return FALSE;
    }
    return releases != NULL;
}

static gboolean clean_target(
        Coordinator *coordinator, const Project *project, const Target *target, GPtrArray *channels, GError **error) {
    g_autoptr(GHashTable) kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < channels->len; i++)
        if (!retire(coordinator, channels->pdata[i], target->id, kept, error))
            return FALSE;
    return publisher_prune(
            coordinator->settings.publisher, project->namespace_name, project->name, target->name, kept, error);
}

static gboolean clean_project(Coordinator *coordinator, const Project *project, GError **error) {
    g_autoptr(GPtrArray) channels = channel_list(coordinator->model, project->id, error);
    g_autoptr(GPtrArray) targets = channels ? target_list(coordinator->model, project->id, error) : NULL;

    for (guint i = 0; targets && i < targets->len; i++)
        if (!clean_target(coordinator, project, targets->pdata[i], channels, error))
            return FALSE;
    return targets != NULL;
}

static gboolean clean_objects(Coordinator *coordinator, GError **error) {
    gint64 before = model_now(coordinator->model) - UNPUBLISHED_KEPT;
    g_autoptr(GPtrArray) unused = object_list_unused(coordinator->model, before, error);

    for (guint i = 0; unused && i < MIN(unused->len, OBJECTS_MAX); i++)
        if (!store_remove(coordinator->settings.store, unused->pdata[i], error) ||
                !object_forget(coordinator->model, unused->pdata[i], error))
            return FALSE;
    return unused != NULL;
}

static gboolean clean_all(Coordinator *coordinator, GError **error) {
    g_autoptr(GPtrArray) projects = project_list(coordinator->model, 0, error);

    for (guint i = 0; projects && i < projects->len; i++)
        if (!clean_project(coordinator, projects->pdata[i], error))
            return FALSE;
    return projects && clean_objects(coordinator, error);
}

gboolean clean_up(Coordinator *coordinator, GError **error) {
    gboolean good = FALSE;

    /* Sets that are being made are not known yet. */
    if (g_hash_table_size(coordinator->publishing) > 0)
        return TRUE;
    /* A copy is being made of what is there. */
    if (!store_try_remove(coordinator->settings.store))
        return TRUE;
    good = clean_all(coordinator, error);
    store_removed(coordinator->settings.store);
    return good;
}
