/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What pages and programs are shown, with few statements however long a list is. */

#include "kitchen/model/database/database.h"

/* Who looks. A token may narrow what its user sees to a namespace or a project. */
typedef struct {
    gint64 user_id; /* 0: a stranger */
    gboolean admin;
    gint64 only_namespace, only_project; /* 0: all */
} Viewer;

typedef struct {
    gint64 id, namespace_id;
    char *namespace_name, *name, *title, *url, *branch, *directory, *packages, *poll_error;
    gboolean is_public, archived;
    gint64 priority, poll, polled, forked_from;
    char *forked_name; /* "NAMESPACE/NAME", NULL */
    /* of its last build; number 0: none */
    gint64 last_number, last_time;
    char *last_state, *last_reason, *last_wait;
    char *released, *released_to; /* the version that was published last, and its channel; NULL: none */
} ProjectView;
void project_view_free(ProjectView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProjectView, project_view_free)

/* The projects (ProjectView) that VIEWER sees; MINE: of namespaces of the viewer only; NAMESPACE NULL: of all. */
GPtrArray *project_views(
        Database *database, const Viewer *viewer, gboolean mine, const char *namespace_name, GError **error);

/* The project if VIEWER sees it. NULL without an error: there is none, or not for this viewer. */
ProjectView *project_view(
        Database *database, const Viewer *viewer, const char *namespace_name, const char *name, GError **error);

typedef struct {
    gint64 id, project_id, number;
    char *version, *commit, *author, *subject, *cause, *caused_by, *state, *failure, *detail, *wait_reason;
    char *first_reason; /* NULL: none */
    gint64 n_reasons;
    gint64 same_as;                    /* number of a build, 0 */
    gint64 created, started, finished; /* 0: not yet */
} BuildView;
void build_view_free(BuildView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BuildView, build_view_free)

/* At most LIMIT builds (BuildView) of the project with a number below BEFORE (0: from the newest on), newest first. */
GPtrArray *build_views(Database *database, gint64 project_id, gint64 before, guint limit, GError **error);

/* NULL without an error: there is none. */
BuildView *build_view(Database *database, gint64 project_id, gint64 number, GError **error);

typedef struct {
    gint64 id, attempt;
    char *target, *state, *failure, *detail, *failing_lines, *wait_reason, *worker, *step;
    gboolean required, skipped;
    gint64 log_size, created, started, finished;
    gint64 fails_like; /* number of the newest build before it that failed with the same lines; 0: none */
} JobView;
void job_view_free(JobView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JobView, job_view_free)

/* The jobs (JobView) of the build, by target and attempt. */
GPtrArray *job_views(Database *database, gint64 build_id, GError **error);

/* The job ID, whose project RET_PROJECT (its namespace and name are set) and build RET_NUMBER are, if VIEWER sees it.
 * NULL without an error: not. */
JobView *job_view(Database *database, const Viewer *viewer, gint64 id, ProjectView **ret_project, gint64 *ret_number,
        GError **error);

/* The state of the job ID, a word that is the caller's; RET_OVER: whether it has ended. NULL without an error: there is
 * none. */
char *job_view_state(Database *database, gint64 id, gboolean *ret_over, GError **error);

typedef struct {
    gint64 job_id, number, priority, created;
    char *namespace_name, *project, *target, *state, *wait_reason, *step;
} QueueView;
void queue_view_free(QueueView *view);

/* Jobs (QueueView) that wait or work and that VIEWER sees; those at work first, then by priority and age. RET_HIDDEN
 * receives how many others there are. */
GPtrArray *queue_views(Database *database, const Viewer *viewer, guint limit, gint64 *ret_hidden, GError **error);
