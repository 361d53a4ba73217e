/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Namespaces, projects, and what a project consists of: targets and channels. */

#include "kitchen/model/database/model.h"

typedef struct {
    gint64 id;
    char *name;
    gint64 created;
} Namespace;

typedef struct {
    gint64 id;
    gint64 namespace_id;
    char *namespace_name; /* of NAMESPACE_ID; not needed by project_create() */
    char *name;
    char *title; /* may be NULL */
    char *url;   /* of the recipe's repository */
    char *branch;
    char *directory; /* of the recipe in it, "" for its top */
    gboolean is_public;
    gint64 priority;
    gint64 poll;    /* seconds between looks at the repository; 0: never */
    char *packages; /* "at-once", "daily", "never" */
    gboolean boot;  /* artifacts are started before they are published */
    gboolean script_network;
    gint64 disk_limit;  /* bytes; 0: none */
    gint64 timeout;     /* seconds of a job */
    gint64 forked_from; /* 0: none */
    char *version;      /* the newest that a build was given; NULL */
    gint64 polled;      /* when the repository was looked at; 0: never */
    char *poll_error;   /* why that failed; NULL */
    gint64 created;
    gboolean archived;
} Project;

typedef struct {
    gint64 id;
    gint64 project_id;
    char *name;
    char *profiles;     /* separated by commas */
    char *release;      /* NULL: the recipe's */
    char *architecture; /* NULL: that of the worker */
    char *image_id;
    gboolean required; /* a release needs it */
    char *options;     /* further arguments of `particleos build`, a JSON array of strings */
} Target;

typedef struct {
    gint64 id;
    gint64 project_id;
    char *name;
    gboolean follows; /* every good build is released to it */
    char *schedule;   /* of new releases (kitchen/model/projects/schedule.h); NULL: all devices at once */
    gint64 wanted;    /* how often what devices are offered was changed; not needed by channel_create() */
} Channel;

void namespace_free(Namespace *space);
void project_free(Project *project);
void target_free(Target *target);
void channel_free(Channel *channel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Namespace, namespace_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Project, project_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Target, target_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Channel, channel_free)

/* Whether NAME can be that of a namespace, project, target or channel: 1 to 64 of a-z 0-9 _ -, a letter or
 * digit first. No dots: they separate target, channel and file in published names. */
gboolean name_is_valid(const char *name);

/* The largest image ID that leaves room for our partition labels (36 characters in GPT). */
#define IMAGE_ID_SIZE_MAX 10

/* Makes a row and returns its ID, 0 with ERROR set. A name that is taken is DATABASE_ERROR_CONFLICT. */
gint64 namespace_create(Model *model, const char *name, GError **error);
gint64 project_create(Model *model, const Project *project, GError **error);
/* An image ID that another target of the service has is MODEL_ERROR_INVALID. */
gint64 target_create(Model *model, const Target *target, GError **error);
gint64 channel_create(Model *model, const Channel *channel, GError **error);

/* WISH, or what is like it, as an image ID that no target has yet; owned by the caller. */
char *target_free_image_id(Model *model, const char *wish, GError **error);

/* Writes what may change: title to timeout, and archived. */
gboolean project_update(Model *model, const Project *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean target_update(Model *model, const Target *target, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether it follows, and its schedule. */
gboolean channel_update(Model *model, const Channel *channel, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What was found when the repository was looked at now: FAILURE is NULL when it worked. */
gboolean project_note_polled(
        Model *model, gint64 project, const char *failure, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* IDs (gint64) of projects whose repositories are to be looked at again, and for which nothing waits already. */
GArray *project_list_due(Model *model, GError **error);

/* One row, owned by the caller; MODEL_ERROR_NOT_FOUND when it is not there. */
Namespace *namespace_find(Model *model, const char *name, GError **error);
Project *project_get(Model *model, gint64 id, GError **error);
Project *project_find(Model *model, const char *space, const char *name, GError **error);
Target *target_get(Model *model, gint64 id, GError **error);
Channel *channel_get(Model *model, gint64 id, GError **error);
Channel *channel_find(Model *model, gint64 project, const char *name, GError **error);

/* Rows by name, owned by the caller: an array of Namespace, Project, Target, Channel. NAMESPACE_ID 0: of
 * all; archived projects are left out. */
GPtrArray *namespace_list(Model *model, GError **error);
GPtrArray *project_list(Model *model, gint64 namespace_id, GError **error);
GPtrArray *target_list(Model *model, gint64 project, GError **error);
GPtrArray *channel_list(Model *model, gint64 project, GError **error);
