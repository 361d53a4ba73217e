/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All that builds, joined together: store, publisher, signer, executor, repositories, coordinator, and what workers ask. */

#include "kitchen/model/database/model.h"
#include "kitchen/model/database/secret.h"
#include "kitchen/mount/mount.h"

typedef struct {
    Model *model;
    const char *directory;           /* gets objects/, uploads/, logs/, fetched/, work/ */
    const char *publish_directory;   /* on the same file system */
    const char *publish_url;         /* where devices find it */
    const char *worker_url;          /* where workers find their API: "http://127.0.0.1:8090/worker" */
    const char *signer;              /* socket of particleos-signer */
    const SecretBox *box;            /* of the tokens of forges */
    const char *base_url;            /* what pages begin with, for forges */
    gboolean development;            /* keys of new projects trust the first program of each name */
    guint slots;                     /* jobs at once */
    const char *workers;             /* socket that workers are behind; NULL: they are started here */
    const char *const *local_roots;  /* repositories of this machine may lie there; may be NULL */
    const char *const *git_networks; /* that their hosts may be in although they are not public; may be NULL */
    const char *git_authorities;     /* file with certificates of those who vouch for hosts; NULL: the system's */
    const char *const *networks; /* that repositories of packages may be in although they are not public; may be NULL */
    gboolean plain_http;         /* repositories of packages by http: metadata are signed, and builders check that */
    const char *builder;         /* the program particleos; NULL: ours */
    const char *package_cache;   /* NULL: below work/ */
} ServiceSettings;

typedef struct Service Service;

/* The model has to outlive it. */
Service *service_new(const ServiceSettings *settings, GError **error);
void service_free(Service *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Service, service_free)

/* Takes up what a service before left, and builds from now on, in the main loop. */
gboolean service_start(Service *service, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Something was written into the database: to be called for each event and each wish. */
void service_wake(Service *service);

/* What workers ask, for mount_early() and mount_answer(): to be mounted below "/worker/". Owned by the service. */
const Mount *service_mount(Service *service);

/* Why nothing starts, in words; NULL: it may. Borrowed. */
const char *service_stopped(Service *service);
