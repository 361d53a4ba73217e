/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What people and the clock do with releases of builds that are published: they go to further channels and to more devices, are
 * halted, and withdrawn, which the signer notes for ever. */

#include "kitchen/coordinator/private.h"
#include "kitchen/coordinator/release-plan.h"
#include "kitchen/model/results/rollout.h"

/* A signer that does not answer is asked again after so long, and for a release given up after so long. */
#define DELAY (5 * 1000)
#define PATIENCE (10 * 60 * 1000)

typedef struct {
    gint64 first, again;
} Later;

typedef struct {
    Publisher *publisher;
    gint64 project, release; /* RELEASE 0: links alone */
    ReleasePlan *plan;
} Rollout;

static void rollout_free(gpointer data) {
    Rollout *rollout = data;

    release_plan_free(rollout->plan);
    g_free(rollout);
}

static gboolean run(gpointer data, GError **error) {
    Rollout *rollout = data;

    return release_plan_run(rollout->plan, rollout->publisher, error);
}

static gboolean is_final(const GError *why) {
    return why->domain == SIGN_SERVICE_ERROR && why->code != SIGN_SERVICE_ERROR_LATER;
}

/* What was asked for waits, or is given up; links are tried again for ever. */
static gboolean try_later(Coordinator *coordinator, gint64 release, const GError *why, GError **error) {
    Later *later = id_table_get(coordinator->release_later, release);
    gint64 now = model_now(coordinator->model);

    if (release == 0) {
        g_warning("The links of a channel cannot be changed: %s", why->message);
        return TRUE;
    }
    if (!later) {
        later = g_new0(Later, 1);
        later->first = now;
        id_table_set(coordinator->release_later, release, later);
    }
    if (is_final(why) || now - later->first > PATIENCE) {
        id_table_remove(coordinator->release_later, release);
        return release_failed(coordinator->model, release, why->message, error);
    }
    later->again = now + DELAY;
    return release_set_detail(coordinator->model, release, why->message, error);
}

static gboolean complete(Coordinator *coordinator, const Rollout *rollout, GError **error) {
    g_autoptr(DatabaseTransaction) transaction = database_begin(model_database(coordinator->model), error);

    return transaction && release_plan_note(rollout->plan, coordinator->model, error) &&
           database_commit(transaction, error);
}

static void after_run(gpointer user, gpointer data, const GError *failure) {
    Coordinator *coordinator = user;
    const Rollout *rollout = data;
    g_autoptr(GError) problem = NULL;
    gboolean good = failure ? try_later(coordinator, rollout->release, failure, &problem)
                            : complete(coordinator, rollout, &problem);

    id_table_remove(coordinator->publishing, rollout->project);
    if (!failure && good)
        id_table_remove(coordinator->release_later, rollout->release);
    if (!good)
        g_warning("%s", problem->message);
}

/* Takes PLAN. */
static void begin(Coordinator *coordinator, gint64 project, gint64 release, ReleasePlan *plan) {
    Rollout *rollout = g_new0(Rollout, 1);

    rollout->publisher = coordinator->settings.publisher;
    rollout->project = project;
    rollout->release = release;
    rollout->plan = plan;
    id_table_set(coordinator->publishing, project, NULL);
    background_run(coordinator->background, run, after_run, coordinator, rollout, rollout_free);
}

static gboolean begin_release(Coordinator *coordinator, const Release *release, GError **error) {
    Model *model = coordinator->model;
    const Later *later = id_table_get(coordinator->release_later, release->id);
    g_autoptr(Build) build = build_get(model, release->build_id, error);
    g_autoptr(GError) failure = NULL;
    ReleasePlan *plan = NULL;

    if (!build)
        return FALSE;
    if (id_table_has(coordinator->publishing, build->project_id) || (later && later->again > model_now(model)))
        return TRUE;
    plan = release_plan_one(model, release, coordinator->settings.best_before, &failure);
    if (!plan)
        return failure->domain == MODEL_ERROR ? release_failed(model, release->id, failure->message, error)
                                              : model_check(failure, error);
    begin(coordinator, build->project_id, release->id, plan);
    return TRUE;
}

static gboolean publish_wished(Coordinator *coordinator, GError **error) {
    g_autoptr(GPtrArray) releases = release_list_wished(coordinator->model, error);

    for (guint i = 0; releases && i < releases->len; i++)
        if (!begin_release(coordinator, releases->pdata[i], error))
            return FALSE;
    return releases != NULL;
}

static gboolean switch_links(Coordinator *coordinator, GError **error) {
    g_autoptr(GPtrArray) wishes = channel_list_switch(coordinator->model, error);

    for (guint i = 0; wishes && i < wishes->len; i++) {
        const ChannelSwitch *wish = wishes->pdata[i];
        ReleasePlan *plan = NULL;

        if (id_table_has(coordinator->publishing, wish->project_id))
            continue;
        plan = release_plan_switch(coordinator->model, wish->channel_id, error);
        if (!plan)
            return FALSE;
        begin(coordinator, wish->project_id, 0, plan);
    }
    return wishes != NULL;
}

/* ---- withdrawals ---- */

typedef struct {
    SignService *signer;
    Withdrawal *withdrawal;
} Telling;

static void telling_free(gpointer data) {
    Telling *telling = data;

    withdrawal_free(telling->withdrawal);
    g_free(telling);
}

static gboolean tell(gpointer data, GError **error) {
    const Telling *telling = data;
    const Withdrawal *what = telling->withdrawal;
    g_autofree char *id = g_strdup_printf("withdraw:%s", what->version);
    g_autoptr(JsonObject) request = sign_request_new("withdraw", id, what->space, what->project, NULL);
    g_autoptr(JsonObject) answer = NULL;

    json_object_set_string_member(request, "imageVersion", what->version);
    if (what->is_private)
        json_object_set_boolean_member(request, "private", TRUE);
    answer = sign_service_ask(telling->signer, request, NULL, 0, error);
    return answer != NULL;
}

static void after_tell(gpointer user, gpointer data, const GError *failure) {
    Coordinator *coordinator = user;
    const Withdrawal *what = ((const Telling *) data)->withdrawal;
    g_autoptr(GError) problem = NULL;

    coordinator->telling_signer = FALSE;
    /* Links do not lead there any more, in any case. */
    if (failure) {
        if (is_final(failure))
            g_warning("The signer does not note that %s of %s/%s is withdrawn: %s", what->version, what->space,
                    what->project, failure->message);
        coordinator->tell_signer_later = model_now(coordinator->model) + DELAY;
    } else if (!withdrawal_note_told(coordinator->model, what->project_id, what->version, &problem)) {
        g_warning("%s", problem->message);
    }
}

static gboolean tell_signer(Coordinator *coordinator, GError **error) {
    g_autoptr(GPtrArray) untold = NULL;
    Telling *telling = NULL;

    if (coordinator->telling_signer || coordinator->tell_signer_later > model_now(coordinator->model))
        return TRUE;
    untold = withdrawal_list_untold(coordinator->model, error);
    if (!untold || untold->len == 0)
        return untold != NULL;
    telling = g_new0(Telling, 1);
    telling->signer = publisher_signer(coordinator->settings.publisher);
    telling->withdrawal = g_steal_pointer(&untold->pdata[0]);
    coordinator->telling_signer = TRUE;
    background_run(coordinator->background, tell, after_tell, coordinator, telling, telling_free);
    return TRUE;
}

gboolean roll_out(Coordinator *coordinator, GError **error) {
    return releases_advance(coordinator->model, error) && publish_wished(coordinator, error) &&
           switch_links(coordinator, error) && tell_signer(coordinator, error);
}
