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

    coordinator->n_refreshing--;
    /* There are days left to try it again. */
    if (failure)
        g_warning("A manifest cannot be signed anew: %s", failure->message);
    else if (!note(coordinator, refresh->plan, &problem))
        g_warning("%s", problem->message);
}

static gboolean refresh_channel(Coordinator *coordinator, const Channel *channel, GError **error) {
    g_autoptr(GPtrArray) releases = release_list(coordinator->model, channel->id, TRUE, error);
    g_autoptr(ReleasePlan) plan = NULL;
    Refresh *refresh = NULL;

    if (!releases || releases->len == 0)
        return releases != NULL;
    plan = release_plan_again(coordinator->model, releases->pdata[0], coordinator->settings.best_before, error);
    if (!plan)
        return FALSE;
    if (release_plan_is_fresh(plan, coordinator->settings.publisher))
        return TRUE;
    refresh = g_new0(Refresh, 1);
    refresh->publisher = coordinator->settings.publisher;
    refresh->plan = g_steal_pointer(&plan);
    coordinator->n_refreshing++;
    background_run(coordinator->background, sign_anew, after_signing, coordinator, refresh, refresh_free);
    return TRUE;
}

static gboolean refresh_project(Coordinator *coordinator, gint64 project, GError **error) {
    g_autoptr(GPtrArray) channels = channel_list(coordinator->model, project, error);

    for (guint i = 0; channels && i < channels->len; i++)
        if (!refresh_channel(coordinator, channels->pdata[i], error))
            return FALSE;
    return channels != NULL;
}

gboolean refresh_manifests(Coordinator *coordinator, GError **error) {
    g_autoptr(GPtrArray) projects = NULL;

    /* One that is being published now and an older one must not race for a channel. */
    if (coordinator->settings.best_before == 0 || g_hash_table_size(coordinator->publishing) > 0 ||
            coordinator->n_refreshing > 0)
        return TRUE;
    projects = project_list(coordinator->model, 0, error);
    for (guint i = 0; projects && i < projects->len; i++)
        if (!refresh_project(coordinator, ((Project *) projects->pdata[i])->id, error))
            return FALSE;
    return projects != NULL;
}
