/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/builds/builds.h"

#define BUILD_COLUMNS                                                                                                  \
    "id, project_id, number, version, commit_id, source, cause, caused_by, state, failure, detail, "                   \
    "wait_reason, priority, same_as, created, started, finished FROM build "

void build_free(Build *build) {
    if (!build)
        return;
    g_free(build->version);
    g_free(build->commit);
    g_free(build->source);
    g_free(build->cause);
    g_free(build->caused_by);
    g_free(build->detail);
    g_free(build->wait_reason);
    g_free(build);
}

static gpointer read_build(const DatabaseRows *rows) {
    Build *build = g_new0(Build, 1);

    build->id = database_rows_integer(rows, 0);
    build->project_id = database_rows_integer(rows, 1);
    build->number = database_rows_integer(rows, 2);
    build->version = database_rows_dup(rows, 3);
    build->commit = database_rows_dup(rows, 4);
    build->source = database_rows_dup(rows, 5);
    build->cause = database_rows_dup(rows, 6);
    build->caused_by = database_rows_dup(rows, 7);
    build->state = (BuildState) build_state_from_string(database_rows_text(rows, 8));
    build->failure = (FailureKind) failure_from_string(database_rows_text(rows, 9));
    build->detail = database_rows_dup(rows, 10);
    build->wait_reason = database_rows_dup(rows, 11);
    build->priority = database_rows_integer(rows, 12);
    build->same_as = database_rows_integer(rows, 13);
    build->created = database_rows_integer(rows, 14);
    build->started = database_rows_integer(rows, 15);
    build->finished = database_rows_integer(rows, 16);
    return build;
}

BuildReason *build_reason_new(const char *kind, const char *text, gint64 target_id) {
    BuildReason *reason = g_new0(BuildReason, 1);

    reason->kind = g_strdup(kind);
    reason->text = g_strdup(text);
    reason->target_id = target_id;
    return reason;
}

void build_reason_free(BuildReason *reason) {
    if (!reason)
        return;
    g_free(reason->kind);
    g_free(reason->text);
    g_free(reason);
}

gboolean build_cancel(Model *model, gint64 id, gint64 user, GError **error) {
    BuildChange change = {.detail = "Somebody cancelled it", .user_id = user};

    return build_transition(model, id, BUILD_CANCELLED, &change, error);
}

Build *build_get(Model *model, gint64 id, GError **error) {
    return model_row(model, "SELECT " BUILD_COLUMNS "WHERE id = ?", DB_VALUES(DB_INT(id)), read_build, "build", error);
}

Build *build_find(Model *model, gint64 project, gint64 number, GError **error) {
    return model_row(model, "SELECT " BUILD_COLUMNS "WHERE project_id = ? AND number = ?",
            DB_VALUES(DB_INT(project), DB_INT(number)), read_build, "build", error);
}

Build *build_newest(Model *model, gint64 project, BuildState state, GError **error) {
    g_autoptr(GPtrArray) list =
            model_rows(model, "SELECT " BUILD_COLUMNS "WHERE project_id = ? AND state = ? ORDER BY number DESC LIMIT 1",
                    DB_VALUES(DB_INT(project), DB_TEXT(build_state_to_string(state))), read_build, NULL, error);

    return list && list->len > 0 ? list->pdata[0] : NULL;
}

GPtrArray *build_list(Model *model, gint64 project, gint64 before, guint limit, GError **error) {
    return model_rows(model, "SELECT " BUILD_COLUMNS "WHERE project_id = ? AND number < ? ORDER BY number DESC LIMIT ?",
            DB_VALUES(DB_INT(project), DB_INT(before > 0 ? before : G_MAXINT64), DB_INT(limit)), read_build,
            (GDestroyNotify) build_free, error);
}

GPtrArray *build_list_waiting(Model *model, gint64 project, GError **error) {
    return model_rows(model, "SELECT " BUILD_COLUMNS "WHERE project_id = ? AND state = 'waiting' ORDER BY id",
            DB_VALUES(DB_INT(project)), read_build, (GDestroyNotify) build_free, error);
}

GPtrArray *build_list_in_state(Model *model, BuildState state, GError **error) {
    return model_rows(model, "SELECT " BUILD_COLUMNS "WHERE state = ? ORDER BY created, id",
            DB_VALUES(DB_TEXT(build_state_to_string(state))), read_build, (GDestroyNotify) build_free, error);
}

static gpointer read_reason(const DatabaseRows *rows) {
    return build_reason_new(database_rows_text(rows, 0), database_rows_text(rows, 1), database_rows_integer(rows, 2));
}

GPtrArray *build_reasons(Model *model, gint64 id, GError **error) {
    return model_rows(model, "SELECT kind, text, target_id FROM build_reason WHERE build_id = ? ORDER BY position",
            DB_VALUES(DB_INT(id)), read_reason, (GDestroyNotify) build_reason_free, error);
}

gboolean build_set_reasons(Model *model, gint64 id, gint64 target_id, GPtrArray *reasons, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);
    g_autoptr(GError) failure = NULL;
    gint64 position = 0;

    if (!transaction ||
            !database_run(database, "DELETE FROM build_reason WHERE build_id = ? AND coalesce(target_id, 0) = ?",
                    DB_VALUES(DB_INT(id), DB_INT(target_id)), error))
        return FALSE;
    position = 1 + database_integer(database, "SELECT max(position) FROM build_reason WHERE build_id = ?",
                           DB_VALUES(DB_INT(id)), 0, &failure);
    if (!model_check(failure, error))
        return FALSE;
    for (guint i = 0; i < reasons->len; i++) {
        const BuildReason *reason = reasons->pdata[i];

        if (!database_run(database,
                    "INSERT INTO build_reason (build_id, position, kind, text, target_id) "
                    "VALUES (?, ?, ?, ?, ?)",
                    DB_VALUES(DB_INT(id), DB_INT(position + i), DB_TEXT(reason->kind), DB_TEXT(reason->text),
                            DB_ID(target_id)),
                    error))
            return FALSE;
    }
    return database_commit(transaction, error);
}

gboolean build_set_wait_reason(Model *model, gint64 id, const char *reason, GError **error) {
    return database_run(model_database(model), "UPDATE build SET wait_reason = ? WHERE id = ?",
            DB_VALUES(DB_TEXT(reason), DB_INT(id)), error);
}
