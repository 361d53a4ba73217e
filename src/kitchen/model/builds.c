/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "builds.h"

#include <stdio.h>

#include "kitchen/model/events.h"
#include "kitchen/model/projects.h"
#include "kitchen/model/sources.h"

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

/* The time as a version, or one second after LAST where that is not later. */
static char *next_version(gint64 now, const char *last) {
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(now / 1000);
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) after = NULL;
    g_autoptr(GDateTime) next = NULL;
    guint parts[6] = {0};

    if (last && sscanf(last, "%4u%2u%2u%2u%2u%2u", parts, parts + 1, parts + 2, parts + 3, parts + 4, parts + 5) == 6)
        after = g_date_time_new(
                utc, (gint) parts[0], (gint) parts[1], (gint) parts[2], (gint) parts[3], (gint) parts[4], parts[5]);
    if (after)
        next = g_date_time_add_seconds(after, 1);
    return g_date_time_format(next && g_date_time_compare(next, time) > 0 ? next : time, "%Y%m%d%H%M%S");
}

/* Ends the builds of PROJECT that wait. FORCE and PRIORITY: what they asked for is not lost. */
static gboolean supersede(
        Model *model, gint64 project, gint64 number, gint64 user, gboolean *force, gint64 *priority, GError **error) {
    g_autoptr(GPtrArray) waiting =
            model_rows(model, "SELECT " BUILD_COLUMNS "WHERE project_id = ? AND state = 'waiting' ORDER BY id",
                    DB_VALUES(DB_INT(project)), read_build, (GDestroyNotify) build_free, error);

    if (!waiting)
        return FALSE;
    for (guint i = 0; i < waiting->len; i++) {
        const Build *build = waiting->pdata[i];
        g_autofree char *detail = g_strdup_printf("Build #%" G_GINT64_FORMAT " takes its place", number);
        BuildChange change = {.detail = detail, .user_id = user};
        g_autoptr(GError) failure = NULL;

        *priority = MAX(*priority, build->priority);
        if (database_integer(model_database(model), "SELECT max(force) FROM job WHERE build_id = ?",
                    DB_VALUES(DB_INT(build->id)), 0, &failure) != 0)
            *force = TRUE;
        if (!model_check(failure, error) || !build_transition(model, build->id, BUILD_SUPERSEDED, &change, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_jobs(Model *model, gint64 project, gint64 build, gboolean force, GError **error) {
    guint n = 0;

    if (!database_run_full(model_database(model),
                "INSERT INTO job (build_id, target_id, state, force, created) "
                "SELECT ?, id, 'queued', ?, ? FROM target WHERE project_id = ? ORDER BY name",
                DB_VALUES(DB_INT(build), DB_INT(force), DB_INT(model_now(model)), DB_INT(project)), NULL, &n, error))
        return FALSE;
    if (n == 0)
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE, "The project has no target: add one before it is built");
    return n > 0;
}

static gint64 insert_build(
        Model *model, const Build *what, gint64 number, const char *version, gint64 priority, GError **error) {
    Database *database = model_database(model);
    gint64 id = 0;

    if (!database_run(database, "UPDATE project SET version = ? WHERE id = ?",
                DB_VALUES(DB_TEXT(version), DB_INT(what->project_id)), error) ||
            !database_run_full(database,
                    "INSERT INTO build (project_id, number, version, commit_id, source, cause, caused_by, "
                    "state, priority, created) VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?)",
                    DB_VALUES(DB_INT(what->project_id), DB_INT(number), DB_TEXT(version), DB_TEXT(what->commit),
                            DB_TEXT(what->source), DB_TEXT(what->cause), DB_TEXT(what->caused_by), DB_INT(priority),
                            DB_INT(model_now(model))),
                    &id, NULL, error))
        return 0;
    return id;
}

gint64 build_create(Model *model, const Build *what, gboolean force, gint64 user, GError **error) {
    g_autoptr(DatabaseTransaction) transaction = database_begin(model_database(model), error);
    g_autoptr(Project) project = transaction ? project_get(model, what->project_id, error) : NULL;
    g_autofree char *version = NULL;
    g_autoptr(GError) failure = NULL;
    gint64 id = 0, number = 0, priority = 0;

    if (!project)
        return 0;
    priority = MAX(project->priority, what->priority);
    number = 1 + database_integer(model_database(model), "SELECT max(number) FROM build WHERE project_id = ?",
                         DB_VALUES(DB_INT(project->id)), 0, &failure);
    version = next_version(model_now(model), project->version);
    if (!model_check(failure, error) || !supersede(model, project->id, number, user, &force, &priority, error))
        return 0;
    id = insert_build(model, what, number, version, priority, error);
    if (id == 0 || !add_jobs(model, project->id, id, force, error) ||
            !build_take_sources(model, project->id, id, error))
        return 0;
    if (!event_add(model,
                &(Event){.project_id = project->id,
                        .build_id = id,
                        .user_id = user,
                        .kind = (char *) "build.waiting",
                        .detail = version},
                error) ||
            !database_commit(transaction, error))
        return 0;
    return id;
}

gboolean build_cancel(Model *model, gint64 id, gint64 user, GError **error) {
    BuildChange change = {.detail = "Somebody cancelled it", .user_id = user};

    return build_transition(model, id, BUILD_CANCELLED, &change, error);
}

gint64 build_retry(Model *model, gint64 id, gint64 user, const char *user_name, GError **error) {
    g_autoptr(Build) old = build_get(model, id, error);
    Build new = {0};

    if (!old)
        return 0;
    if (!old->source) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE, "Its recipe was never fetched: build anew");
        return 0;
    }
    new.project_id = old->project_id;
    new.commit = old->commit;
    new.source = old->source;
    new.cause = (char *) "manual";
    new.caused_by = (char *) user_name;
    new.priority = old->priority;
    return build_create(model, &new, TRUE, user, error);
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
