/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A manifest is good for some days, so that nobody can hold devices back with an old one: it is signed anew each day. */

#include "kitchen/coordinator/private.h"
#include "kitchen/coordinator/release-plan.h"
#include "kitchen/model/builds/builds.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/model/results/releases.h"

typedef struct {
    Publisher *publisher;
    ReleasePlan *plan;
    gint64 project;
} Refresh;

static void refresh_free(gpointer data) {
    Refresh *refresh = data;

    release_plan_free(refresh->plan);
    g_free(refresh);
}

static gboolean sign_anew(gpointer data, GError **error) {
    Refresh *refresh = data;

    return release_plan_run(refresh->plan, refresh->publisher, error);
}

static gboolean note(Coordinator *coordinator, ReleasePlan *plan, GError **error) {
    g_autoptr(DatabaseTransaction) transaction = database_begin(model_database(coordinator->model), error);

    return transaction && release_plan_note(plan, coordinator->model, error) && database_commit(transaction, error);
}

static void after_signing(gpointer user, gpointer data, const GError *failure) {
    Coordinator *coordinator = user;
    Refresh *refresh = data;
    g_autoptr(GError) problem = NULL;

    id_table_remove(coordinator->publishing, refresh->project);
    /* There are days left to try it again. */
    if (failure)
        g_warning("A manifest cannot be signed anew: %s", failure->message);
    else if (!note(coordinator, refresh->plan, &problem))
        g_warning("%s", problem->message);
}

static gboolean refresh_channel(Coordinator *coordinator, const Channel *channel, GError **error) {
    g_autoptr(ReleasePlan) plan =
            release_plan_again(coordinator->model, channel->id, coordinator->settings.best_before, error);
    Refresh *refresh = NULL;

    if (!plan)
        return FALSE;
    if (release_plan_is_fresh(plan, coordinator->settings.publisher))
        return TRUE;
    refresh = g_new0(Refresh, 1);
    refresh->publisher = coordinator->settings.publisher;
    refresh->plan = g_steal_pointer(&plan);
    refresh->project = channel->project_id;
    id_table_set(coordinator->publishing, channel->project_id, NULL);
    background_run(coordinator->background, sign_anew, after_signing, coordinator, refresh, refresh_free);
    return TRUE;
}

/* One channel at a time; the others have days left. */
static gboolean refresh_project(Coordinator *coordinator, gint64 project, GError **error) {
    g_autoptr(GPtrArray) channels = channel_list(coordinator->model, project, error);

    for (guint i = 0; channels && i < channels->len && !id_table_has(coordinator->publishing, project); i++)
        if (!refresh_channel(coordinator, channels->pdata[i], error))
            return FALSE;
    return channels != NULL;
}

gboolean refresh_manifests(Coordinator *coordinator, GError **error) {
    g_autoptr(GPtrArray) projects = NULL;

    if (coordinator->settings.best_before == 0)
        return TRUE;
    projects = project_list(coordinator->model, 0, error);
    for (guint i = 0; projects && i < projects->len; i++)
        if (!refresh_project(coordinator, ((Project *) projects->pdata[i])->id, error))
            return FALSE;
    return projects != NULL;
}
