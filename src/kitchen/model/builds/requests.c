/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/builds/requests.h"

#include "kitchen/model/builds/build-create.h"
#include "kitchen/model/builds/events.h"

gint64 build_request_add(Model *model, const BuildWish *wish, GError **error) {
    gint64 id = 0;

    if (!database_run_full(model_database(model),
                "INSERT INTO build_request (project_id, cause, caused_by, force, user_id, created) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                DB_VALUES(DB_INT(wish->project_id), DB_TEXT(wish->cause), DB_TEXT(wish->caused_by), DB_INT(wish->force),
                        DB_ID(wish->user_id), DB_INT(model_now(model))),
                &id, NULL, error))
        return 0;
    return id;
}

void build_request_clear(BuildRequest *request) {
    g_clear_pointer(&request->cause, g_free);
    g_clear_pointer(&request->caused_by, g_free);
}

gboolean build_request_pending(Model *model, gint64 project, BuildRequest *ret_request, GError **error) {
    /* What changes without a commit makes a build of a commit that was built: it must not be lost in a look at the branch that
     * finds nothing new. */
    g_autoptr(DatabaseRows) rows = database_select(model_database(model),
            "SELECT (SELECT max(id) FROM build_request WHERE project_id = ?), cause, caused_by, force, "
            "user_id FROM build_request WHERE project_id = ? ORDER BY force DESC, "
            "cause IN ('packages', 'base', 'source') DESC, id LIMIT 1",
            DB_VALUES(DB_INT(project), DB_INT(project)), error);

    if (!rows || !database_rows_next(rows, error))
        return FALSE;
    build_request_clear(ret_request);
    ret_request->last = database_rows_integer(rows, 0);
    ret_request->cause = database_rows_dup(rows, 1);
    ret_request->caused_by = database_rows_dup(rows, 2);
    ret_request->force = database_rows_integer(rows, 3) != 0;
    ret_request->user_id = database_rows_integer(rows, 4);
    return TRUE;
}

GArray *build_request_projects(Model *model, GError **error) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GError) failure = NULL;
    g_autoptr(DatabaseRows) rows = database_select(model_database(model),
            "SELECT project_id FROM build_request GROUP BY project_id ORDER BY min(id)", DB_NONE, error);

    if (!rows)
        return NULL;
    while (database_rows_next(rows, &failure)) {
        gint64 id = database_rows_integer(rows, 0);

        g_array_append_val(list, id);
    }
    return model_check(failure, error) ? g_steal_pointer(&list) : NULL;
}

gboolean build_request_wants(Model *model, gint64 project, const BuildRequest *request, const char *commit,
        gboolean *ret_wants, GError **error) {
    g_autoptr(GPtrArray) newest = NULL;
    const Build *build = NULL;

    /* Packages change without a commit; the job finds out whether they count. */
    *ret_wants = TRUE;
    if (request->force || g_strcmp0(request->cause, "packages") == 0 || g_strcmp0(request->cause, "base") == 0 ||
            g_strcmp0(request->cause, "source") == 0)
        return TRUE;
    newest = build_list(model, project, 0, 1, error);
    if (!newest)
        return FALSE;
    build = newest->len > 0 ? newest->pdata[0] : NULL;
    *ret_wants = !build || g_strcmp0(build->commit, commit) != 0;
    return TRUE;
}

gboolean build_request_answer(Model *model, gint64 project, const BuildRequest *request, const char *commit,
        const char *source, gint64 *ret_build, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);
    gboolean wants = FALSE;

    *ret_build = 0;
    if (!transaction || !build_request_wants(model, project, request, commit, &wants, error))
        return FALSE;
    if (wants) {
        Build what = {.project_id = project,
                .commit = (char *) commit,
                .source = (char *) source,
                .cause = request->cause,
                .caused_by = request->caused_by};

        *ret_build = build_create(model, &what, request->force, request->user_id, error);
        if (*ret_build == 0)
            return FALSE;
    }
    return database_run(database, "DELETE FROM build_request WHERE project_id = ? AND id <= ?",
                   DB_VALUES(DB_INT(project), DB_INT(request->last)), error) &&
           database_commit(transaction, error);
}

gboolean commit_note(
        Model *model, gint64 project, const char *commit, const char *author, const char *subject, GError **error) {
    return database_run(model_database(model),
            "INSERT INTO commit_seen (project_id, commit_id, author, subject, seen) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (project_id, commit_id) DO NOTHING",
            DB_VALUES(DB_INT(project), DB_TEXT(commit), DB_TEXT(author), DB_TEXT(subject), DB_INT(model_now(model))),
            error);
}

gboolean commit_lookup(
        Model *model, gint64 project, const char *commit, char **ret_author, char **ret_subject, GError **error) {
    g_autoptr(DatabaseRows) rows = database_select(model_database(model),
            "SELECT author, subject FROM commit_seen WHERE project_id = ? AND commit_id = ?",
            DB_VALUES(DB_INT(project), DB_TEXT(commit)), error);

    if (!rows || !database_rows_next(rows, error))
        return FALSE;
    *ret_author = database_rows_dup(rows, 0);
    *ret_subject = database_rows_dup(rows, 1);
    return TRUE;
}
