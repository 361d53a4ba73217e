/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/builds/build-create.h"

#include <stdio.h>

#include "kitchen/model/builds/build-sources.h"
#include "kitchen/model/builds/events.h"
#include "kitchen/model/projects/projects.h"

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
    g_autoptr(GPtrArray) waiting = build_list_waiting(model, project, error);

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
