/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Repositories of packages: each distinct one is looked at now and then, for all projects that are built from it. */

#include "kitchen/coordinator/private.h"
#include "kitchen/model/builds/repositories.h"

#define INTERVAL (10 * 60 * 1000)
/* Repositories that are looked at at once. */
#define WATCHES_MAX 4

typedef struct {
    CoordinatorWatch watch;
    gpointer user;
    Repository *repository;
    RepositoryState state;
} Watch;

static void watch_free(gpointer data) {
    Watch *watch = data;

    repository_free(watch->repository);
    repository_state_clear(&watch->state);
    g_free(watch);
}

static gboolean look(gpointer data, GError **error) {
    Watch *watch = data;
    gboolean changed = FALSE;

    return watch->watch(watch->user, watch->repository->url, &watch->state, &changed, error);
}

static void after_look(gpointer user, gpointer data, const GError *failure) {
    Coordinator *coordinator = user;
    Watch *watch = data;
    g_autoptr(GError) problem = NULL;
    Repository seen = {.url = watch->repository->url,
            .digest = watch->state.digest,
            .etag = watch->state.etag,
            .last_modified = watch->state.last_modified};

    g_hash_table_remove(coordinator->watching, watch->repository->url);
    if (!repository_note(coordinator->model, &seen, failure ? failure->message : NULL, NULL, &problem))
        g_warning("%s", problem->message);
}

static void begin(Coordinator *coordinator, const Repository *repository) {
    Watch *watch = g_new0(Watch, 1);

    watch->watch = coordinator->settings.watch;
    watch->user = coordinator->settings.watch_user;
    watch->repository = repository_new(repository->url, NULL);
    watch->state.digest = g_strdup(repository->digest);
    watch->state.etag = g_strdup(repository->etag);
    watch->state.last_modified = g_strdup(repository->last_modified);
    g_hash_table_add(coordinator->watching, g_strdup(repository->url));
    background_run(coordinator->background, look, after_look, coordinator, watch, watch_free);
}

gboolean watch_repositories(Coordinator *coordinator, GError **error) {
    g_autoptr(GPtrArray) due = NULL;

    if (!coordinator->settings.watch)
        return TRUE;
    due = repository_list_due(coordinator->model, INTERVAL, error);
    for (guint i = 0; due && i < due->len && g_hash_table_size(coordinator->watching) < WATCHES_MAX; i++) {
        const Repository *repository = due->pdata[i];

        if (!g_hash_table_contains(coordinator->watching, repository->url))
            begin(coordinator, repository);
    }
    return due != NULL;
}
