/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Branches of further repositories, and files: each distinct one is looked at now and then, for all projects that name it. */

#include "kitchen/coordinator/private.h"
#include "kitchen/model/builds/sources.h"

#include <string.h>

#define INTERVAL (5 * 60 * 1000)
/* Sources that are looked at at once. */
#define LOOKS_MAX 4

typedef struct {
    GitSource *git;
    CoordinatorWatch watch;
    gpointer watch_user;
    SourceState *state;
    char *key;
} Look;

static void look_free(gpointer data) {
    Look *look = data;

    source_state_free(look->state);
    g_free(look->key);
    g_free(look);
}

/* What no two sources have. */
static char *key_of(const SourceState *state) {
    return g_strjoin("\n", state->kind, state->url, state->branch, NULL);
}

static gboolean look_at_branch(Look *look, GError **error) {
    const GitPlace place = {.url = look->state->url, .branch = look->state->branch};
    char *commit = look->git->resolve(look->git, &place, error);

    if (!commit)
        return FALSE;
    g_free(look->state->revision);
    look->state->revision = commit;
    return TRUE;
}

static gboolean look_at_file(Look *look, GError **error) {
    SourceState *state = look->state;
    g_auto(RepositoryState) file = {.digest = g_steal_pointer(&state->revision),
            .etag = g_steal_pointer(&state->etag),
            .last_modified = g_steal_pointer(&state->last_modified)};
    gboolean changed = FALSE, good = look->watch(look->watch_user, state->url, &file, &changed, error);

    state->revision = g_steal_pointer(&file.digest);
    state->etag = g_steal_pointer(&file.etag);
    state->last_modified = g_steal_pointer(&file.last_modified);
    return good;
}

static gboolean look(gpointer data, GError **error) {
    Look *look = data;

    return strcmp(look->state->kind, SOURCE_GIT) == 0 ? look_at_branch(look, error) : look_at_file(look, error);
}

static void after_look(gpointer user, gpointer data, const GError *failure) {
    Coordinator *coordinator = user;
    const Look *look = data;
    g_autoptr(GError) problem = NULL;

    g_hash_table_remove(coordinator->looking, look->key);
    if (!source_note(coordinator->model, look->state, failure ? failure->message : NULL, &problem))
        g_warning("%s", problem->message);
}

/* Takes STATE. */
static void begin(Coordinator *coordinator, SourceState *state) {
    Look *look_data = g_new0(Look, 1);

    look_data->git = coordinator->settings.git;
    look_data->watch = coordinator->settings.watch;
    look_data->watch_user = coordinator->settings.watch_user;
    look_data->state = state;
    look_data->key = key_of(state);
    g_hash_table_add(coordinator->looking, g_strdup(look_data->key));
    background_run(coordinator->background, look, after_look, coordinator, look_data, look_free);
}

static gboolean can_look(const Coordinator *coordinator, const SourceState *state) {
    return strcmp(state->kind, SOURCE_GIT) == 0 ? coordinator->settings.git != NULL
                                                : coordinator->settings.watch != NULL;
}

gboolean look_at_sources(Coordinator *coordinator, GError **error) {
    g_autoptr(GPtrArray) due = source_list_due(coordinator->model, INTERVAL, error);

    for (guint i = 0; due && i < due->len && g_hash_table_size(coordinator->looking) < LOOKS_MAX; i++) {
        SourceState *state = due->pdata[i];
        g_autofree char *key = key_of(state);

        if (g_hash_table_contains(coordinator->looking, key) || !can_look(coordinator, state))
            continue;
        due->pdata[i] = NULL;
        begin(coordinator, state);
    }
    return due != NULL;
}
