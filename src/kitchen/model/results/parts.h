/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What builds, channels and projects consist of, as pages and the API list it. */

#include "kitchen/model/database/database.h"

typedef struct {
    char *text, *target; /* TARGET NULL: of all */
} ReasonView;
/* The reasons (ReasonView) of a build, in order. */
GPtrArray *reason_views(Database *database, gint64 build_id, GError **error);

typedef struct {
    char *name, *target, *digest;
    gint64 size;
} ArtifactView;
/* What the jobs of a build that are done made (ArtifactView), by target and name. */
GPtrArray *artifact_views(Database *database, gint64 build_id, GError **error);

typedef struct {
    char *name;
    gint64 namespace_id, project_id;
    gboolean is_public;
} ArtifactOwner;
/* Who made a file of that DIGEST, and how it is called there (ArtifactOwner). */
GPtrArray *artifact_owners(Database *database, const char *digest, GError **error);

typedef struct {
    char *type, *title;
    gint64 leaf; /* entry of the signer's log; -1: not known */
} SignatureView;
/* What was signed for a build (SignatureView), in order. */
GPtrArray *signature_views(Database *database, gint64 build_id, GError **error);

typedef struct {
    char *type;
    gint64 n, last;
} SignatureUse;
/* How often something of a type was signed for a project, and when last (SignatureUse), by type. */
GPtrArray *signature_uses(Database *database, gint64 project_id, GError **error);

typedef struct {
    char *name, *profiles, *architecture; /* ARCHITECTURE NULL: that of the worker */
    char *state;                          /* of its job in the build NUMBER; NULL: none */
    gboolean required;
} TargetView;
/* The targets (TargetView) of a project, by name, with their states in the build NUMBER. */
GPtrArray *target_views(Database *database, gint64 project_id, gint64 number, GError **error);

typedef struct {
    gint64 id;
    char *name, *version; /* VERSION NULL: nothing is published */
    gint64 published;
} ChannelView;
/* The channels (ChannelView) of a project with their newest published release, by name. */
GPtrArray *channel_views(Database *database, gint64 project_id, GError **error);

typedef struct {
    gint64 id;
    char *version, *state;
    gint64 time, number; /* of its build */
    gint64 percent;
    gboolean halted;
    char *schedule, *detail; /* NULL: none */
    gint64 approvals;        /* how many people approved it */
} ReleaseView;
/* At most LIMIT releases (ReleaseView) of a channel, newest first. */
GPtrArray *release_views(Database *database, gint64 channel_id, guint limit, GError **error);

typedef struct {
    gint64 target_id;
    char *target, *previous; /* PREVIOUS: the version that the target's channel had before; NULL: none */
    char *name, *digest;
    gint64 size;
} ReleaseFileView;
/* The files (ReleaseFileView) of a release, by target and name. */
GPtrArray *release_file_views(Database *database, gint64 release_id, GError **error);

/* The certificate of PURPOSE of a project as PEM, owned by the caller; NULL without an error: the signer gave out none yet. */
char *certificate_view(Database *database, gint64 project_id, const char *purpose, GError **error);

typedef struct {
    gint64 id, time, build_id, job_id; /* 0: none */
    char *kind, *detail;
} EventView;
/* At most LIMIT events (EventView) of a project before the one with the ID BEFORE (0: from the newest on), newest first. */
GPtrArray *event_views(Database *database, gint64 project_id, gint64 before, guint limit, GError **error);
