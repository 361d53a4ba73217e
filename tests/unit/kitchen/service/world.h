/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A build service whose repository, workers, signer and clock are played. What they know is on the disk, so that all of it can
 * be killed and opened again. */

#include "kitchen/api/worker-api.h"
#include "kitchen/coordinator/coordinator.h"
#include "kitchen/model/builds/builds.h"
#include "kitchen/model/builds/jobs.h"
#include "kitchen/model/builds/requests.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/model/results/releases.h"

#define WORLD_REPOSITORY "http://packages.example/dists/x/InRelease"

typedef struct {
    char *path;
    gint64 now;
    Model *model;
    Store *store;
    SignService *signer;
    Publisher *publisher;
    WorkerApi *api;
    Coordinator *coordinator;
    Executor executor;
    GitSource git;
    gint64 project;
    SecretBox *box;
    GString *told;   /* what the forge was told: "STATE COMMIT TOKEN\n" */
    guint n_withdrawn; /* versions that the signer knows to be withdrawn */
    guint n_watched; /* how often the repository of packages was looked at */
    /* How the players behave. */
    gboolean forge_fails, git_fails, signer_fails, workers_die, workers_hang;
    const char *approvals; /* the channel that needs one for each target; NULL: none does */
    const char *inputs;   /* NULL: the commit */
    const char *metadata; /* digest of the one repository of packages */
} World;

/* Opens, or makes, the world in PATH. */
World *world_open(const char *path);
void world_close(World *world);

/* The commit that the branch points to from now on, and a hook that says so. Returns when it is acknowledged. */
void world_push(World *world, const char *commit);

/* N seconds, in each of which the coordinator and the workers work. */
void world_run(World *world, guint n);
/* Until nothing is left to do, at most N seconds. Returns whether nothing is. */
gboolean world_settle(World *world, guint n);

/* The newest build; freed by the caller. */
Build *world_newest(World *world);

/* What the channel offers: the commit in the published file, after sha256sum found everything right. NULL: nothing. */
char *world_offered(World *world);

/* Calls FAULT before each operation that a crash could come between. */
void world_set_fault(World *world, DatabaseFault fault, gpointer user);

/* A directory in memory, where syncing takes no time. Owned by the caller. */
char *world_new_path(void);
void world_remove(const char *path);
