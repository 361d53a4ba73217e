/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/results/views.h"

/* TRUE for a row of "project p" that a viewer sees; takes the five values of VIEWER_VALUES. A private one is seen by
 * members of its namespace and by administrators, with a token only if it is one of the token's. */
#define VISIBLE                                                                                                        \
    "(p.public = 1 OR ((? = 1 OR EXISTS (SELECT 1 FROM member m WHERE m.namespace_id = p.namespace_id AND "            \
    "m.user_id = ?)) AND ? IN (0, p.namespace_id) AND ? IN (0, p.id)))"
#define VIEWER_VALUES(v)                                                                                               \
    DB_INT((v)->user_id != 0 && (v)->admin), DB_INT((v)->user_id), DB_INT((v)->only_namespace),                        \
            DB_INT((v)->only_project)

#define PROJECT_COLUMNS                                                                                                \
    "SELECT p.id, p.namespace_id, n.name, p.name, p.title, p.url, p.branch, p.directory, p.packages, "                 \
    "p.poll_error, p.public, p.archived, p.priority, p.poll, p.polled, p.forked_from, "                                \
    "(SELECT fn.name || '/' || f.name FROM project f JOIN namespace fn ON fn.id = f.namespace_id WHERE "               \
    "f.id = p.forked_from), b.number, coalesce(b.finished, b.started, b.created), b.state, "                           \
    "(SELECT r.text FROM build_reason r WHERE r.build_id = b.id ORDER BY r.position LIMIT 1), "                        \
    "b.wait_reason, l.version, c.name FROM project p JOIN namespace n ON n.id = p.namespace_id LEFT JOIN build b ON "  \
    "b.project_id = p.id AND b.number = (SELECT max(number) FROM build WHERE project_id = p.id) LEFT JOIN release l "  \
    "ON l.id = (SELECT max(m.id) FROM release m JOIN channel o ON o.id = m.channel_id WHERE o.project_id = p.id AND "  \
    "m.state = 'published') LEFT JOIN channel c ON c.id = l.channel_id "

#define BUILD_COLUMNS                                                                                                  \
    "SELECT b.id, b.project_id, b.number, b.version, b.commit_id, c.author, c.subject, b.cause, "                      \
    "b.caused_by, b.state, b.failure, b.detail, b.wait_reason, (SELECT r.text FROM build_reason r WHERE "              \
    "r.build_id = b.id ORDER BY r.position LIMIT 1), (SELECT count(*) FROM build_reason r WHERE "                      \
    "r.build_id = b.id), (SELECT s.number FROM build s WHERE s.id = b.same_as), b.created, b.started, "                \
    "b.finished FROM build b LEFT JOIN commit_seen c ON c.project_id = b.project_id AND c.commit_id = "                \
    "b.commit_id "

#define JOB_COLUMNS                                                                                                    \
    "SELECT j.id, j.attempt, t.name, j.state, j.failure, j.detail, j.failing_lines, j.wait_reason, "                   \
    "j.worker, j.step, t.required, j.skipped, j.log_size, j.created, j.started, j.finished, "                          \
    "(SELECT max(sb.number) FROM job s JOIN build sb ON sb.id = s.build_id WHERE j.state = 'failed' AND "              \
    "s.target_id = j.target_id AND s.state = 'failed' AND s.build_id < j.build_id AND "                                \
    "s.failing_lines = j.failing_lines) "

void project_view_free(ProjectView *view) {
    if (!view)
        return;
    g_free(view->namespace_name);
    g_free(view->name);
    g_free(view->title);
    g_free(view->url);
    g_free(view->branch);
    g_free(view->directory);
    g_free(view->packages);
    g_free(view->poll_error);
    g_free(view->forked_name);
    g_free(view->last_state);
    g_free(view->last_reason);
    g_free(view->last_wait);
    g_free(view->released);
    g_free(view->released_to);
    g_free(view);
}

static gpointer read_project(const DatabaseRows *rows) {
    ProjectView *view = g_new0(ProjectView, 1);

    view->id = database_rows_integer(rows, 0);
    view->namespace_id = database_rows_integer(rows, 1);
    view->namespace_name = database_rows_dup(rows, 2);
    view->name = database_rows_dup(rows, 3);
    view->title = database_rows_dup(rows, 4);
    view->url = database_rows_dup(rows, 5);
    view->branch = database_rows_dup(rows, 6);
    view->directory = database_rows_dup(rows, 7);
    view->packages = database_rows_dup(rows, 8);
    view->poll_error = database_rows_dup(rows, 9);
    view->is_public = database_rows_integer(rows, 10) != 0;
    view->archived = database_rows_integer(rows, 11) != 0;
    view->priority = database_rows_integer(rows, 12);
    view->poll = database_rows_integer(rows, 13);
    view->polled = database_rows_integer(rows, 14);
    view->forked_from = database_rows_integer(rows, 15);
    view->forked_name = database_rows_dup(rows, 16);
    view->last_number = database_rows_integer(rows, 17);
    view->last_time = database_rows_integer(rows, 18);
    view->last_state = database_rows_dup(rows, 19);
    view->last_reason = database_rows_dup(rows, 20);
    view->last_wait = database_rows_dup(rows, 21);
    view->released = database_rows_dup(rows, 22);
    view->released_to = database_rows_dup(rows, 23);
    return view;
}

GPtrArray *project_views(
        Database *database, const Viewer *viewer, gboolean mine, const char *namespace_name, GError **error) {
    return database_list(database,
            PROJECT_COLUMNS "WHERE " VISIBLE " AND p.archived = 0 AND (? = 0 OR EXISTS (SELECT 1 FROM member o "
                            "WHERE o.namespace_id = p.namespace_id AND o.user_id = ?)) AND coalesce(?, n.name) = "
                            "n.name ORDER BY n.name, p.name",
            DB_VALUES(VIEWER_VALUES(viewer), DB_INT(mine), DB_INT(viewer->user_id), DB_TEXT(namespace_name)),
            read_project, (GDestroyNotify) project_view_free, error);
}

ProjectView *project_view(
        Database *database, const Viewer *viewer, const char *namespace_name, const char *name, GError **error) {
    return database_first(database, PROJECT_COLUMNS "WHERE " VISIBLE " AND n.name = ? AND p.name = ?",
            DB_VALUES(VIEWER_VALUES(viewer), DB_TEXT(namespace_name), DB_TEXT(name)), read_project, error);
}

void build_view_free(BuildView *view) {
    if (!view)
        return;
    g_free(view->version);
    g_free(view->commit);
    g_free(view->author);
    g_free(view->subject);
    g_free(view->cause);
    g_free(view->caused_by);
    g_free(view->state);
    g_free(view->failure);
    g_free(view->detail);
    g_free(view->wait_reason);
    g_free(view->first_reason);
    g_free(view);
}

static gpointer read_build(const DatabaseRows *rows) {
    BuildView *view = g_new0(BuildView, 1);

    view->id = database_rows_integer(rows, 0);
    view->project_id = database_rows_integer(rows, 1);
    view->number = database_rows_integer(rows, 2);
    view->version = database_rows_dup(rows, 3);
    view->commit = database_rows_dup(rows, 4);
    view->author = database_rows_dup(rows, 5);
    view->subject = database_rows_dup(rows, 6);
    view->cause = database_rows_dup(rows, 7);
    view->caused_by = database_rows_dup(rows, 8);
    view->state = database_rows_dup(rows, 9);
    view->failure = database_rows_dup(rows, 10);
    view->detail = database_rows_dup(rows, 11);
    view->wait_reason = database_rows_dup(rows, 12);
    view->first_reason = database_rows_dup(rows, 13);
    view->n_reasons = database_rows_integer(rows, 14);
    view->same_as = database_rows_integer(rows, 15);
    view->created = database_rows_integer(rows, 16);
    view->started = database_rows_integer(rows, 17);
    view->finished = database_rows_integer(rows, 18);
    return view;
}

GPtrArray *build_views(Database *database, gint64 project_id, gint64 before, guint limit, GError **error) {
    return database_list(database,
            BUILD_COLUMNS "WHERE b.project_id = ? AND b.number < ? ORDER BY b.number DESC LIMIT ?",
            DB_VALUES(DB_INT(project_id), DB_INT(before > 0 ? before : G_MAXINT64), DB_INT(limit)), read_build,
            (GDestroyNotify) build_view_free, error);
}

BuildView *build_view(Database *database, gint64 project_id, gint64 number, GError **error) {
    return database_first(database, BUILD_COLUMNS "WHERE b.project_id = ? AND b.number = ?",
            DB_VALUES(DB_INT(project_id), DB_INT(number)), read_build, error);
}

void job_view_free(JobView *view) {
    if (!view)
        return;
    g_free(view->target);
    g_free(view->state);
    g_free(view->failure);
    g_free(view->detail);
    g_free(view->failing_lines);
    g_free(view->wait_reason);
    g_free(view->worker);
    g_free(view->step);
    g_free(view);
}

static gpointer read_job(const DatabaseRows *rows) {
    JobView *view = g_new0(JobView, 1);

    view->id = database_rows_integer(rows, 0);
    view->attempt = database_rows_integer(rows, 1);
    view->target = database_rows_dup(rows, 2);
    view->state = database_rows_dup(rows, 3);
    view->failure = database_rows_dup(rows, 4);
    view->detail = database_rows_dup(rows, 5);
    view->failing_lines = database_rows_dup(rows, 6);
    view->wait_reason = database_rows_dup(rows, 7);
    view->worker = database_rows_dup(rows, 8);
    view->step = database_rows_dup(rows, 9);
    view->required = database_rows_integer(rows, 10) != 0;
    view->skipped = database_rows_integer(rows, 11) != 0;
    view->log_size = database_rows_integer(rows, 12);
    view->created = database_rows_integer(rows, 13);
    view->started = database_rows_integer(rows, 14);
    view->finished = database_rows_integer(rows, 15);
    view->fails_like = database_rows_integer(rows, 16);
    return view;
}

GPtrArray *job_views(Database *database, gint64 build_id, GError **error) {
    return database_list(database,
            JOB_COLUMNS "FROM job j JOIN target t ON t.id = j.target_id WHERE j.build_id = ? "
                        "ORDER BY t.name, j.attempt",
            DB_VALUES(DB_INT(build_id)), read_job, (GDestroyNotify) job_view_free, error);
}

JobView *job_view(Database *database, const Viewer *viewer, gint64 id, ProjectView **ret_project, gint64 *ret_number,
        GError **error) {
    g_autoptr(DatabaseRows) rows = database_select(database,
            JOB_COLUMNS ", p.id, p.namespace_id, n.name, p.name, b.number FROM job j "
                        "JOIN target t ON t.id = j.target_id JOIN build b ON b.id = j.build_id "
                        "JOIN project p ON p.id = b.project_id JOIN namespace n ON n.id = p.namespace_id "
                        "WHERE " VISIBLE " AND j.id = ?",
            DB_VALUES(VIEWER_VALUES(viewer), DB_INT(id)), error);
    ProjectView *project = NULL;

    if (!rows || !database_rows_next(rows, error))
        return NULL;
    project = g_new0(ProjectView, 1);
    project->id = database_rows_integer(rows, 17);
    project->namespace_id = database_rows_integer(rows, 18);
    project->namespace_name = database_rows_dup(rows, 19);
    project->name = database_rows_dup(rows, 20);
    *ret_project = project;
    *ret_number = database_rows_integer(rows, 21);
    return read_job(rows);
}

char *job_view_state(Database *database, gint64 id, gboolean *ret_over, GError **error) {
    g_autoptr(DatabaseRows) rows =
            database_select(database, "SELECT state, finished FROM job WHERE id = ?", DB_VALUES(DB_INT(id)), error);

    if (!rows || !database_rows_next(rows, error))
        return NULL;
    *ret_over = !database_rows_is_null(rows, 1);
    return database_rows_dup(rows, 0);
}

void queue_view_free(QueueView *view) {
    g_free(view->namespace_name);
    g_free(view->project);
    g_free(view->target);
    g_free(view->state);
    g_free(view->wait_reason);
    g_free(view->step);
    g_free(view);
}

static gpointer read_queue(const DatabaseRows *rows) {
    QueueView *view = g_new0(QueueView, 1);

    view->job_id = database_rows_integer(rows, 0);
    view->number = database_rows_integer(rows, 1);
    view->priority = database_rows_integer(rows, 2);
    view->created = database_rows_integer(rows, 3);
    view->namespace_name = database_rows_dup(rows, 4);
    view->project = database_rows_dup(rows, 5);
    view->target = database_rows_dup(rows, 6);
    view->state = database_rows_dup(rows, 7);
    view->wait_reason = database_rows_dup(rows, 8);
    view->step = database_rows_dup(rows, 9);
    return view;
}

#define AT_WORK "('queued', 'submitted', 'claimed', 'running', 'uploaded')"

GPtrArray *queue_views(Database *database, const Viewer *viewer, guint limit, gint64 *ret_hidden, GError **error) {
    g_autoptr(GError) failure = NULL;

    *ret_hidden = database_integer(database,
            "SELECT count(*) FROM job j JOIN build b ON b.id = j.build_id JOIN project p ON p.id = "
            "b.project_id WHERE j.state IN " AT_WORK " AND NOT " VISIBLE,
            DB_VALUES(VIEWER_VALUES(viewer)), 0, &failure);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    return database_list(database,
            "SELECT j.id, b.number, b.priority, j.created, n.name, p.name, t.name, j.state, "
            "coalesce(j.wait_reason, b.wait_reason), j.step FROM job j "
            "JOIN target t ON t.id = j.target_id JOIN build b ON b.id = j.build_id "
            "JOIN project p ON p.id = b.project_id JOIN namespace n ON n.id = p.namespace_id "
            "WHERE j.state IN " AT_WORK " AND " VISIBLE " ORDER BY j.state = 'queued', b.priority DESC, j.id LIMIT ?",
            DB_VALUES(VIEWER_VALUES(viewer), DB_INT(limit)), read_queue, (GDestroyNotify) queue_view_free, error);
}
