/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What makes builds go on: looks at repositories, starts workers and watches them, has builds checked and published. All of
 * it starts from what the database says, so that it can be killed anywhere and goes on where it was. Works in the main loop
 * of the thread that made it; git, hashing and publishing run in threads. */

#include "kitchen/executor/executor.h"
#include "kitchen/git/git-source.h"
#include "kitchen/model/database/model.h"
#include "kitchen/model/database/secret.h"
#include "kitchen/net/forge-status.h"
#include "kitchen/net/repository-watch.h"
#include "kitchen/publish/publish.h"
#include "kitchen/signing/sign-service.h"
#include "kitchen/store/store.h"

/* repository_watch(), or a stand-in for tests. Runs in threads. */
typedef gboolean (*CoordinatorWatch)(
        gpointer user, const char *url, RepositoryState *state, gboolean *ret_changed, GError **error);

/* forge_status_send(), or a stand-in for tests. Runs in threads. */
typedef gboolean (*CoordinatorTell)(gpointer user, const ForgeStatus *status, const char *token, GError **error);

typedef struct {
    Model *model;
    Store *store;
    Executor *executor;
    Publisher *publisher;
    GitSource *git;
    double percent_free;    /* of the store's disk, below which nothing starts; 5 is usual */
    CoordinatorWatch watch; /* NULL: packages are not watched */
    gpointer watch_user;
    CoordinatorTell tell; /* NULL: forges are told nothing */
    gpointer tell_user;
    const SecretBox *box; /* of the tokens of forges */
    const char *base_url; /* what pages of builds begin with */
    guint best_before;    /* days that a manifest is good for; 0: for ever */
} CoordinatorSettings;

typedef struct Coordinator Coordinator;

/* All that SETTINGS name has to outlive it. */
Coordinator *coordinator_new(const CoordinatorSettings *settings);
/* Threads that run are waited for. */
void coordinator_free(Coordinator *coordinator);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Coordinator, coordinator_free)

/* Takes up what a service before left, and works from now on, each second and whenever coordinator_wake() was called. */
gboolean coordinator_start(Coordinator *coordinator, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Something happened (an event, a wish): it looks soon. */
void coordinator_wake(Coordinator *coordinator);

/* One look at everything, without waiting for what runs in threads. For tests with a clock of their own. */
gboolean coordinator_step(Coordinator *coordinator, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether something runs in a thread. */
gboolean coordinator_is_busy(Coordinator *coordinator);

/* Why nothing starts, in words; NULL: it may. Borrowed. */
const char *coordinator_stopped(Coordinator *coordinator);
