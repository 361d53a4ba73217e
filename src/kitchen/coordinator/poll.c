/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>

#include "kitchen/coordinator/private.h"
#include "kitchen/model/builds/builds.h"
#include "kitchen/model/builds/events.h"
#include "kitchen/model/builds/requests.h"
#include "kitchen/model/projects/credential.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/model/results/objects.h"

/* Repositories that are looked at at once. */
#define POLLS_MAX 4
/* After a failure it is tried again later, and later. */
#define DELAY_MIN (15 * 1000)
#define DELAY_MAX (10 * 60 * 1000)

typedef struct {
    gint64 again; /* when */
    gint64 delay;
} PollFailure;

typedef struct {
    GitSource *git;
    Store *store;
    Project *project;
    BuildRequest request;
    char *secrets; /* that git needs; may be NULL */
    char *commit;
    char *digest; /* of the tree */
    gint64 size;
    GitTree tree;
} Poll;

static void poll_free(gpointer data) {
    Poll *poll = data;

    if (poll->tree.path)
        g_unlink(poll->tree.path);
    git_tree_clear(&poll->tree);
    secret_wipe(poll->secrets);
    project_free(poll->project);
    build_request_clear(&poll->request);
    g_free(poll->commit);
    g_free(poll->digest);
    g_free(poll);
}

static GitPlace place_of(const Poll *poll) {
    return (GitPlace){.url = poll->project->url, .branch = poll->project->branch, .secrets = poll->secrets};
}

static gboolean resolve(gpointer data, GError **error) {
    Poll *poll = data;
    GitPlace place = place_of(poll);

    poll->commit = poll->git->resolve(poll->git, &place, error);
    return poll->commit != NULL;
}

static gboolean fetch(gpointer data, GError **error) {
    Poll *poll = data;
    GitPlace place = place_of(poll);

    return poll->git->fetch(poll->git, &place, poll->commit, &poll->tree, error) &&
           store_add_file(poll->store, poll->tree.path, &poll->digest, &poll->size, error);
}

static void give_up(Coordinator *coordinator, const Poll *poll, const GError *why) {
    gint64 id = poll->project->id;
    PollFailure *failure = id_table_get(coordinator->poll_later, id);
    g_autoptr(GError) problem = NULL;
    gboolean is_new = failure == NULL;

    if (is_new) {
        failure = g_new0(PollFailure, 1);
        failure->delay = DELAY_MIN / 2;
        id_table_set(coordinator->poll_later, id, failure);
    }
    failure->delay = MIN(failure->delay * 2, DELAY_MAX);
    failure->again = model_now(coordinator->model) + failure->delay;
    id_table_remove(coordinator->polling, id);
    if (!project_note_polled(coordinator->model, id, why->message, &problem) ||
            (is_new && !event_add(coordinator->model,
                               &(Event){.project_id = id, .kind = (char *) "poll.failed", .detail = why->message},
                               &problem)))
        g_warning("%s", problem->message);
}

/* The build, or the word that there is none, with everything that belongs to it. */
static gboolean answer(Coordinator *coordinator, Poll *poll, GError **error) {
    Model *model = coordinator->model;
    g_autoptr(DatabaseTransaction) transaction = database_begin(model_database(model), error);
    gint64 build = 0;

    return transaction &&
           (!poll->digest || (object_note(model, poll->digest, poll->size, 0, error) &&
                                     commit_note(model, poll->project->id, poll->commit, poll->tree.author,
                                             poll->tree.subject, error))) &&
           project_note_polled(model, poll->project->id, NULL, error) &&
           build_request_answer(model, poll->project->id, &poll->request, poll->commit, poll->digest, &build, error) &&
           database_commit(transaction, error);
}

static void finish(Coordinator *coordinator, Poll *poll) {
    g_autoptr(GError) failure = NULL;

    if (!answer(coordinator, poll, &failure)) {
        give_up(coordinator, poll, failure);
        return;
    }
    id_table_remove(coordinator->polling, poll->project->id);
    id_table_remove(coordinator->poll_later, poll->project->id);
}

static void after_fetch(gpointer user, gpointer data, const GError *failure) {
    Coordinator *coordinator = user;
    if (failure)
        give_up(coordinator, data, failure);
    else
        finish(coordinator, data);
}

/* Hands what POLL has to another one: this one goes with its thread. */
static Poll *move(Poll *poll) {
    Poll *next = g_memdup2(poll, sizeof *poll);

    next->project = g_steal_pointer(&poll->project);
    next->secrets = g_steal_pointer(&poll->secrets);
    poll->request.cause = poll->request.caused_by = poll->commit = NULL;
    return next;
}

static void after_resolve(gpointer user, gpointer data, const GError *failure) {
    Coordinator *coordinator = user;
    Poll *poll = data;
    g_autoptr(GError) problem = NULL;
    gboolean wants = FALSE;

    if (failure)
        give_up(coordinator, poll, failure);
    else if (!build_request_wants(
                     coordinator->model, poll->project->id, &poll->request, poll->commit, &wants, &problem))
        give_up(coordinator, poll, problem);
    else if (wants)
        background_run(coordinator->background, fetch, after_fetch, coordinator, move(poll), poll_free);
    else
        finish(coordinator, poll);
}

static gboolean is_later(Coordinator *coordinator, gint64 project) {
    PollFailure *failure = id_table_get(coordinator->poll_later, project);

    return id_table_has(coordinator->polling, project) || (failure && failure->again > model_now(coordinator->model));
}

/* A credential that does not open is a failure of this project alone. */
static gboolean load_secrets(Coordinator *coordinator, Poll *poll) {
    const SecretBox *box = coordinator->settings.box;
    g_autoptr(GError) failure = NULL;

    if (box)
        poll->secrets = credential_git_secrets(model_database(coordinator->model), box, poll->project->id, &failure);
    if (failure)
        give_up(coordinator, poll, failure);
    return failure == NULL;
}

static gboolean begin(Coordinator *coordinator, gint64 id, GError **error) {
    g_autoptr(GError) failure = NULL;
    Poll *poll = g_new0(Poll, 1);

    poll->git = coordinator->settings.git;
    poll->store = coordinator->settings.store;
    poll->project = project_get(coordinator->model, id, &failure);
    if (!poll->project || !build_request_pending(coordinator->model, id, &poll->request, &failure)) {
        poll_free(poll);
        return model_check(failure, error);
    }
    if (!load_secrets(coordinator, poll)) {
        poll_free(poll);
        return TRUE;
    }
    id_table_set(coordinator->polling, id, NULL);
    background_run(coordinator->background, resolve, after_resolve, coordinator, poll, poll_free);
    return TRUE;
}

/* Projects whose repositories are looked at every so often. */
static gboolean wish_for_due(Coordinator *coordinator, GError **error) {
    g_autoptr(GArray) due = project_list_due(coordinator->model, error);

    for (guint i = 0; due && i < due->len; i++) {
        gint64 id = g_array_index(due, gint64, i);
        BuildWish wish = {.project_id = id, .cause = "poll"};

        if (!is_later(coordinator, id) && build_request_add(coordinator->model, &wish, error) == 0)
            return FALSE;
    }
    return due != NULL;
}

gboolean poll_projects(Coordinator *coordinator, GError **error) {
    g_autoptr(GArray) projects = NULL;

    if (coordinator->settings.git == NULL)
        return TRUE;
    if (!wish_for_due(coordinator, error))
        return FALSE;
    projects = build_request_projects(coordinator->model, error);
    for (guint i = 0; projects && i < projects->len; i++) {
        gint64 id = g_array_index(projects, gint64, i);

        if (g_hash_table_size(coordinator->polling) >= POLLS_MAX)
            return TRUE;
        if (!is_later(coordinator, id) && !begin(coordinator, id, error))
            return FALSE;
    }
    return projects != NULL;
}
