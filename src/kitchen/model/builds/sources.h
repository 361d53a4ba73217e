/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a project is built from besides its recipe: branches of other repositories, files, and images that other projects have
 * published (bases). Each distinct one is looked at once, however many projects name it. */

#include "kitchen/model/builds/build-sources.h"

typedef struct {
    gint64 project_id;
    char *name;
    char *kind;     /* SOURCE_… */
    char *url;      /* of a base: NAMESPACE/PROJECT/TARGET */
    char *branch;   /* of SOURCE_GIT; "" for others */
    char *revision; /* when it was looked at last: a commit, the digest of a file, a version; NULL: not known yet */
    char *error;    /* why that failed; NULL */
} Source;

void source_free(Source *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Source, source_free)

/* Adds a source, and wishes for a build when what it is is known. MODEL_ERROR_INVALID: a name, kind or base that cannot be;
 * MODEL_ERROR_NOT_FOUND: a base that is not there, or not for this project (others' private ones); DATABASE_ERROR_CONFLICT:
 * the name is taken. Whether URL may be asked is for the caller to judge. */
gboolean source_add(Model *model, const Source *source, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* MODEL_ERROR_NOT_FOUND: there is none. */
gboolean source_remove(Model *model, gint64 project, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* An array of Source, by name. */
GPtrArray *source_list(Model *model, gint64 project, GError **error);

/* A distinct source and what is known of it. */
typedef struct {
    char *kind, *url, *branch;
    char *revision, *etag, *last_modified; /* may be NULL */
} SourceState;

void source_state_free(SourceState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SourceState, source_state_free)

/* An array of SourceState: branches and files that were not looked at for INTERVAL milliseconds, those that wait longest
 * first. */
GPtrArray *source_list_due(Model *model, gint64 interval, GError **error);

/* It was looked at now and is as STATE says; FAILURE is NULL when that worked. Wishes are made for projects that were not
 * built from this revision. */
gboolean source_note(
        Model *model, const SourceState *state, const char *failure, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* BUILD is published: it may be the base of others. */
gboolean source_note_published(Model *model, const Build *build, GError **error) G_GNUC_WARN_UNUSED_RESULT;
