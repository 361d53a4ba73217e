/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Wishes that a project is looked at, and built when something is new: of hooks, people, watchers. A wish is
 * a row before it is acknowledged, and goes in the transaction that makes a build of it, or finds that there
 * is nothing to do. */

#include "kitchen/model/database/model.h"

typedef struct {
    gint64 project_id;
    const char *cause;     /* of the build: "push", "poll", "packages", "base", "source", "manual", "first" */
    const char *caused_by; /* who or what, for people; may be NULL */
    gboolean force;        /* a build also of a commit that was built; without it a commit is built once */
    gint64 user_id;        /* 0: nobody */
} BuildWish;

/* Adds a row; returns its ID, or 0 with ERROR set. In a transaction of the caller it is part of that one. */
gint64 build_request_add(Model *model, const BuildWish *wish, GError **error);

/* What waits for PROJECT: the wish that names the cause (a forced one goes before others, then what is not of a commit, then
 * the first one),
 * and LAST, up to which all are answered at once. FALSE without ERROR set: nothing waits. */
typedef struct {
    gint64 last;
    char *cause;
    char *caused_by;
    gboolean force;
    gint64 user_id;
} BuildRequest;
void build_request_clear(BuildRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BuildRequest, build_request_clear)
gboolean build_request_pending(
        Model *model, gint64 project, BuildRequest *ret_request, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The IDs (gint64) of projects for which something waits, those that wait longest first. */
GArray *build_request_projects(Model *model, GError **error);

/* Answers the wishes up to REQUEST->last for the commit COMMIT: makes a build with the recipe's tree SOURCE
 * (an object), or none when COMMIT was built already and nobody insists. RET_BUILD receives its ID or 0. */
gboolean build_request_answer(Model *model, gint64 project, const BuildRequest *request, const char *commit,
        const char *source, gint64 *ret_build, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether a build for REQUEST would be made of COMMIT: asked before a tree is fetched. */
gboolean build_request_wants(Model *model, gint64 project, const BuildRequest *request, const char *commit,
        gboolean *ret_wants, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The commit's author and subject, for pages and reasons. Repeating is harmless. */
gboolean commit_note(Model *model, gint64 project, const char *commit, const char *author, const char *subject,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* FALSE without ERROR set: it is not known. Results are owned by the caller. */
gboolean commit_lookup(Model *model, gint64 project, const char *commit, char **ret_author, char **ret_subject,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
