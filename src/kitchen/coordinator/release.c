/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "kitchen/coordinator/private.h"
#include "kitchen/coordinator/release-plan.h"
#include "kitchen/model/builds/builds.h"
#include "kitchen/model/builds/sources.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/model/results/releases.h"

/* A signer that does not answer is waited for. */
#define PATIENCE (10 * 60 * 1000)
#define DELAY (5 * 1000)

typedef struct {
    gint64 first, again; /* when it failed first, and when it is tried again */
} PublishFailure;

typedef struct {
    Publisher *publisher;
    gint64 build, project;
    ReleasePlan *plan;
} Publishing;

static void publishing_free(gpointer data) {
    Publishing *publishing = data;

    release_plan_free(publishing->plan);
    g_free(publishing);
}

static gboolean publish(gpointer data, GError **error) {
    Publishing *publishing = data;

    return release_plan_run(publishing->plan, publishing->publisher, error);
}

static gboolean fail(Coordinator *coordinator, gint64 build, FailureKind kind, const GError *why, GError **error) {
    BuildChange change = {.failure = kind, .detail = why->message};

    id_table_remove(coordinator->publish_later, build);
    return build_transition(coordinator->model, build, BUILD_FAILED, &change, error);
}

static gboolean is_refusal(const GError *why) {
    return g_error_matches(why, SIGN_SERVICE_ERROR, SIGN_SERVICE_ERROR_REFUSED) ||
           g_error_matches(why, SIGN_SERVICE_ERROR, SIGN_SERVICE_ERROR_UNKNOWN);
}

/* The build waits, for a while. */
static gboolean try_later(Coordinator *coordinator, gint64 build, const GError *why, GError **error) {
    PublishFailure *failure = id_table_get(coordinator->publish_later, build);
    gint64 now = model_now(coordinator->model);

    if (is_refusal(why))
        return fail(coordinator, build, FAILURE_REFUSED, why, error);
    if (!failure) {
        failure = g_new0(PublishFailure, 1);
        failure->first = now;
        id_table_set(coordinator->publish_later, build, failure);
    }
    if (now - failure->first > PATIENCE)
        return fail(
                coordinator, build, why->domain == SIGN_SERVICE_ERROR ? FAILURE_REFUSED : FAILURE_PUBLISH, why, error);
    failure->again = now + DELAY;
    return build_set_wait_reason(coordinator->model, build, why->message, error);
}

static gboolean complete(Coordinator *coordinator, Publishing *publishing, GError **error) {
    Model *model = coordinator->model;
    g_autoptr(DatabaseTransaction) transaction = database_begin(model_database(model), error);
    g_autoptr(Build) build = transaction ? build_get(model, publishing->build, error) : NULL;

    return build && release_plan_note(publishing->plan, model, error) &&
           build_transition(model, build->id, BUILD_PUBLISHED, NULL, error) &&
           source_note_published(model, build, error) && database_commit(transaction, error);
}

static void after_publish(gpointer user, gpointer data, const GError *failure) {
    Coordinator *coordinator = user;
    Publishing *publishing = data;
    g_autoptr(GError) problem = NULL;
    gboolean good = failure ? try_later(coordinator, publishing->build, failure, &problem)
                            : complete(coordinator, publishing, &problem);

    id_table_remove(coordinator->publishing, publishing->project);
    if (!failure && good)
        id_table_remove(coordinator->publish_later, publishing->build);
    if (!good)
        g_warning("%s", problem->message);
}

static gboolean begin(Coordinator *coordinator, const Build *build, GError **error) {
    PublishFailure *later = id_table_get(coordinator->publish_later, build->id);
    g_autoptr(GError) failure = NULL;
    g_autoptr(ReleasePlan) plan = NULL;
    Publishing *publishing = NULL;

    /* What changes a channel does so alone. */
    if (id_table_has(coordinator->publishing, build->project_id) ||
            (later && later->again > model_now(coordinator->model)))
        return TRUE;
    plan = release_plan_new(coordinator->model, build, coordinator->settings.best_before, &failure);
    if (!plan)
        return failure->domain == MODEL_ERROR ? fail(coordinator, build->id, FAILURE_PUBLISH, failure, error)
                                              : model_check(failure, error);
    publishing = g_new0(Publishing, 1);
    publishing->publisher = coordinator->settings.publisher;
    publishing->build = build->id;
    publishing->project = build->project_id;
    publishing->plan = g_steal_pointer(&plan);
    id_table_set(coordinator->publishing, build->project_id, NULL);
    background_run(coordinator->background, publish, after_publish, coordinator, publishing, publishing_free);
    return TRUE;
}

gboolean release_builds(Coordinator *coordinator, GError **error) {
    g_autoptr(GPtrArray) builds = build_list_in_state(coordinator->model, BUILD_PUBLISHING, error);

    for (guint i = 0; builds && i < builds->len; i++)
        if (!begin(coordinator, builds->pdata[i], error))
            return FALSE;
    return builds != NULL;
}
