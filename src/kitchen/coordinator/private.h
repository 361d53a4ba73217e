/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "kitchen/background/background.h"
#include "kitchen/coordinator/coordinator.h"

struct Coordinator {
    CoordinatorSettings settings;
    Model *model; /* = settings.model */
    char *stopped;
    gint64 started;            /* when it began; workers get time to find us */
    gint64 cleaned;            /* when files were removed last */
    gint64 logged;             /* when the signer's log was published last */
    gboolean logging;          /* it is being published */
    guint timer, idle;         /* sources */
    Background *background;    /* what runs in threads */
    GHashTable *polling;       /* IDs of projects that are looked at (gint64) */
    GHashTable *poll_later;    /* project -> PollFailure */
    GHashTable *watching;      /* URLs of repositories that are looked at */
    GHashTable *looking;       /* sources that are looked at */
    GHashTable *publishing;    /* IDs of projects whose channels a thread changes */
    GHashTable *release_later; /* release -> PublishFailure */
    gboolean telling_signer;   /* of a version that was withdrawn */
    gint64 tell_signer_later;  /* when it is told again */
    GHashTable *publish_later; /* build -> PublishFailure */
    GHashTable *telling;       /* IDs of builds that a forge is being told of */
    GHashTable *tell_later;    /* build -> time (gint64) of the next try */
};

/* A set of identifiers. */
GHashTable *id_table_new(GDestroyNotify free_value);
void id_table_set(GHashTable *table, gint64 id, gpointer value);
gpointer id_table_get(GHashTable *table, gint64 id);
gboolean id_table_has(GHashTable *table, gint64 id);
void id_table_remove(GHashTable *table, gint64 id);

/* dispatch.c: jobs and executors. */
gboolean dispatch_recover(Coordinator *coordinator, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dispatch_watch(Coordinator *coordinator, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dispatch_start(Coordinator *coordinator, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* check.c: what workers have made. */
gboolean check_jobs(Coordinator *coordinator, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean check_builds(Coordinator *coordinator, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* release.c: publishing. */
gboolean release_builds(Coordinator *coordinator, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* rollout.c: what people and the clock do with releases. */
gboolean roll_out(Coordinator *coordinator, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* log.c: the signer's log. */
void publish_log(Coordinator *coordinator);

/* refresh.c */
gboolean refresh_manifests(Coordinator *coordinator, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* poll.c: repositories. */
gboolean poll_projects(Coordinator *coordinator, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* watch.c */
gboolean watch_repositories(Coordinator *coordinator, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* sources.c */
gboolean look_at_sources(Coordinator *coordinator, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* tell.c */
gboolean tell_forges(Coordinator *coordinator, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* clean.c: what nobody needs any more. */
gboolean clean_up(Coordinator *coordinator, GError **error) G_GNUC_WARN_UNUSED_RESULT;
