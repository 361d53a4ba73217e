/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/builds/sources.h"

#include <string.h>

#include "kitchen/model/builds/requests.h"
#include "kitchen/model/database/name.h"

/* Sources of one project. */
#define SOURCES_MAX 50
#define SHORT_COMMIT 7

void source_free(Source *source) {
    if (!source)
        return;
    g_free(source->name);
    g_free(source->kind);
    g_free(source->url);
    g_free(source->branch);
    g_free(source->revision);
    g_free(source->error);
    g_free(source);
}

void source_state_free(SourceState *state) {
    if (!state)
        return;
    g_free(state->kind);
    g_free(state->url);
    g_free(state->branch);
    g_free(state->revision);
    g_free(state->etag);
    g_free(state->last_modified);
    g_free(state);
}

static gpointer read_source(const DatabaseRows *rows) {
    Source *source = g_new0(Source, 1);

    source->project_id = database_rows_integer(rows, 0);
    source->name = database_rows_dup(rows, 1);
    source->kind = database_rows_dup(rows, 2);
    source->url = database_rows_dup(rows, 3);
    source->branch = database_rows_dup(rows, 4);
    source->revision = database_rows_dup(rows, 5);
    source->error = database_rows_dup(rows, 6);
    return source;
}

GPtrArray *source_list(Model *model, gint64 project, GError **error) {
    return model_rows(model,
            "SELECT source.project_id, source.name, source.kind, source.url, source.branch, state.revision, state.error "
            "FROM source LEFT JOIN source_state AS state ON state.kind = source.kind AND state.url = source.url AND "
            "state.branch = source.branch WHERE source.project_id = ? ORDER BY source.name",
            DB_VALUES(DB_INT(project)), read_source, (GDestroyNotify) source_free, error);
}

static gpointer read_state(const DatabaseRows *rows) {
    SourceState *state = g_new0(SourceState, 1);

    state->kind = database_rows_dup(rows, 0);
    state->url = database_rows_dup(rows, 1);
    state->branch = database_rows_dup(rows, 2);
    state->revision = database_rows_dup(rows, 3);
    state->etag = database_rows_dup(rows, 4);
    state->last_modified = database_rows_dup(rows, 5);
    return state;
}

GPtrArray *source_list_due(Model *model, gint64 interval, GError **error) {
    return model_rows(model,
            "SELECT DISTINCT source.kind, source.url, source.branch, state.revision, state.etag, state.last_modified, "
            "coalesce(state.checked, 0) AS seen FROM source JOIN project ON project.id = source.project_id "
            "LEFT JOIN source_state AS state ON state.kind = source.kind AND state.url = source.url AND "
            "state.branch = source.branch WHERE project.archived = 0 AND source.kind <> '" SOURCE_BASE "' AND "
            "coalesce(state.checked, 0) + ? <= ? ORDER BY seen, source.url",
            DB_VALUES(DB_INT(interval), DB_INT(model_now(model))), read_state, (GDestroyNotify) source_state_free,
            error);
}

/* ---- bases ---- */

/* The target that BASE names, if PROJECT may see it; 0: MODEL_ERROR_NOT_FOUND. */
static gint64 find_base(Model *model, gint64 project, const char *base, GError **error) {
    g_auto(GStrv) parts = g_strsplit(base, "/", 4);
    g_autoptr(GError) failure = NULL;
    gint64 target = 0;

    if (g_strv_length(parts) == 3)
        target = database_integer(model_database(model),
                "SELECT target.id FROM target JOIN project ON project.id = target.project_id "
                "JOIN namespace ON namespace.id = project.namespace_id WHERE namespace.name = ? AND project.name = ? AND "
                "target.name = ? AND (project.public = 1 OR project.namespace_id = "
                "(SELECT namespace_id FROM project WHERE id = ?))",
                DB_VALUES(DB_TEXT(parts[0]), DB_TEXT(parts[1]), DB_TEXT(parts[2]), DB_INT(project)), 0, &failure);
    if (model_check(failure, error) && target == 0)
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND,
                "There is no target \"%s\" for this project: a base is named NAMESPACE/PROJECT/TARGET", base);
    return target;
}

/* A project that is built on itself, be it by others, would never come to rest. */
static gboolean check_circle(Model *model, gint64 project, gint64 target, GError **error) {
    g_autoptr(GError) failure = NULL;
    gint64 circle = database_integer(model_database(model),
            "WITH RECURSIVE below (id) AS (SELECT project_id FROM target WHERE id = ? UNION "
            "SELECT other.id FROM below JOIN source ON source.project_id = below.id AND source.kind = '" SOURCE_BASE
            "' "
            "JOIN project AS other JOIN namespace ON namespace.id = other.namespace_id "
            "AND source.url LIKE namespace.name || '/' || other.name || '/%') "
            "SELECT count(*) FROM below WHERE id = ?",
            DB_VALUES(DB_INT(target), DB_INT(project)), 0, &failure);

    if (model_check(failure, error) && circle > 0)
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID, "The project would be built on itself");
    return !failure && circle == 0;
}

/* What TARGET published last, as the revision of STATE. */
static gboolean look_at_base(Model *model, gint64 target, SourceState *state, GError **error) {
    g_autoptr(GError) failure = NULL;
    g_autoptr(DatabaseRows) rows = database_select(model_database(model),
            "SELECT build.version FROM build JOIN job ON job.build_id = build.id WHERE job.target_id = ? AND "
            "job.state = 'done' AND job.skipped = 0 AND build.state = 'published' ORDER BY build.number DESC LIMIT 1",
            DB_VALUES(DB_INT(target)), error);

    if (rows && database_rows_next(rows, &failure))
        state->revision = database_rows_dup(rows, 0);
    return rows && model_check(failure, error);
}

/* ---- changes ---- */

static gboolean check_source(Model *model, const Source *source, GError **error) {
    static const char *const kinds[] = {SOURCE_GIT, SOURCE_URL, SOURCE_BASE, NULL};
    g_autoptr(GError) failure = NULL;
    gint64 n = database_integer(model_database(model), "SELECT count(*) FROM source WHERE project_id = ?",
            DB_VALUES(DB_INT(source->project_id)), 0, &failure);

    if (!model_check(failure, error) || !name_check("source", source->name, error))
        return FALSE;
    if (n < SOURCES_MAX && source->url && *source->url && g_strv_contains(kinds, source->kind) &&
            (strcmp(source->kind, SOURCE_GIT) != 0 || (source->branch && *source->branch)))
        return TRUE;
    g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID,
            n < SOURCES_MAX ? "A source is git (with URL and branch), url, or base (NAMESPACE/PROJECT/TARGET)"
                            : "A project has %d sources at most",
            SOURCES_MAX);
    return FALSE;
}

static gboolean insert_source(Model *model, const Source *source, const char *branch, GError **error) {
    g_autoptr(GError) failure = NULL;

    if (database_run(model_database(model),
                "INSERT INTO source (project_id, name, kind, url, branch) VALUES (?, ?, ?, ?, ?)",
                DB_VALUES(DB_INT(source->project_id), DB_TEXT(source->name), DB_TEXT(source->kind),
                        DB_TEXT(source->url), DB_TEXT(branch)),
                &failure))
        return TRUE;
    if (g_error_matches(failure, DATABASE_ERROR, DATABASE_ERROR_CONFLICT))
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_CONFLICT,
                "The project has a source %s already: remove it first, or choose another name", source->name);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean source_add(Model *model, const Source *source, GError **error) {
    g_autoptr(DatabaseTransaction) transaction = database_begin(model_database(model), error);
    gboolean is_base = g_strcmp0(source->kind, SOURCE_BASE) == 0;
    const char *branch = g_strcmp0(source->kind, SOURCE_GIT) == 0 ? source->branch : "";
    SourceState *state = NULL;
    g_autoptr(SourceState) base = g_new0(SourceState, 1);
    gint64 target = 0;

    if (!transaction || !check_source(model, source, error) || !insert_source(model, source, branch, error))
        return FALSE;
    if (is_base) {
        target = find_base(model, source->project_id, source->url, error);
        if (target == 0 || !check_circle(model, source->project_id, target, error) ||
                !look_at_base(model, target, base, error))
            return FALSE;
        base->kind = g_strdup(SOURCE_BASE);
        base->url = g_strdup(source->url);
        base->branch = g_strdup("");
        state = base->revision ? base : NULL;
    }
    return (!state || source_note(model, state, NULL, error)) && database_commit(transaction, error);
}

gboolean source_remove(Model *model, gint64 project, const char *name, GError **error) {
    guint n = 0;

    if (!database_run_full(model_database(model), "DELETE FROM source WHERE project_id = ? AND name = ?",
                DB_VALUES(DB_INT(project), DB_TEXT(name)), NULL, &n, error))
        return FALSE;
    if (n == 0)
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND, "The project has no source \"%s\"", name);
    return n > 0;
}

/* ---- what was seen ---- */

/* A commit or a version as people read it. */
static char *shorten(const char *kind, const char *revision) {
    return strcmp(kind, SOURCE_BASE) == 0 ? g_strdup(revision) : g_strndup(revision, SHORT_COMMIT);
}

typedef struct {
    gint64 project;
    char *name;
} Concerned;

static void concerned_free(gpointer data) {
    Concerned *concerned = data;

    g_free(concerned->name);
    g_free(concerned);
}

static gpointer read_concerned(const DatabaseRows *rows) {
    Concerned *concerned = g_new0(Concerned, 1);

    concerned->project = database_rows_integer(rows, 0);
    concerned->name = database_rows_dup(rows, 1);
    return concerned;
}

static gboolean wish(Model *model, const SourceState *state, const Concerned *concerned, GError **error) {
    gboolean is_base = strcmp(state->kind, SOURCE_BASE) == 0;
    g_autofree char *revision = shorten(state->kind, state->revision);
    g_autofree char *by = g_strdup_printf("%s %s", is_base ? state->url : concerned->name, revision);
    const BuildWish wish = {.project_id = concerned->project, .cause = is_base ? "base" : "source", .caused_by = by};

    return build_request_add(model, &wish, error) != 0 &&
           database_run(model_database(model),
                   "UPDATE source SET wished = ? WHERE project_id = ? AND kind = ? AND url = ? AND branch = ?",
                   DB_VALUES(DB_TEXT(state->revision), DB_INT(concerned->project), DB_TEXT(state->kind),
                           DB_TEXT(state->url), DB_TEXT(state->branch)),
                   error);
}

static gboolean wish_for_all(Model *model, const SourceState *state, GError **error) {
    g_autoptr(GPtrArray) list = model_rows(model,
            "SELECT source.project_id, min(source.name) FROM source JOIN project ON project.id = source.project_id "
            "WHERE source.kind = ? AND source.url = ? AND source.branch = ? AND project.archived = 0 AND "
            "coalesce(source.wished, '') <> ? GROUP BY source.project_id ORDER BY source.project_id",
            DB_VALUES(DB_TEXT(state->kind), DB_TEXT(state->url), DB_TEXT(state->branch), DB_TEXT(state->revision)),
            read_concerned, concerned_free, error);

    for (guint i = 0; list && i < list->len; i++)
        if (!wish(model, state, list->pdata[i], error))
            return FALSE;
    return list != NULL;
}

gboolean source_note(Model *model, const SourceState *state, const char *failure, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);

    return transaction &&
           database_run(database,
                   "INSERT INTO source_state (kind, url, branch, revision, etag, last_modified, checked, error) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, url, branch) DO UPDATE SET "
                   "changed = CASE WHEN revision IS NOT excluded.revision THEN excluded.checked ELSE changed END, "
                   "revision = excluded.revision, etag = excluded.etag, last_modified = excluded.last_modified, "
                   "checked = excluded.checked, error = excluded.error",
                   DB_VALUES(DB_TEXT(state->kind), DB_TEXT(state->url), DB_TEXT(state->branch),
                           DB_TEXT(state->revision), DB_TEXT(state->etag), DB_TEXT(state->last_modified),
                           DB_INT(model_now(model)), DB_TEXT(failure)),
                   error) &&
           (failure || !state->revision || wish_for_all(model, state, error)) && database_commit(transaction, error);
}

static gpointer read_text(const DatabaseRows *rows) {
    return database_rows_dup(rows, 0);
}

gboolean source_note_published(Model *model, const Build *build, GError **error) {
    g_autoptr(GPtrArray) targets = model_rows(model,
            "SELECT namespace.name || '/' || project.name || '/' || target.name FROM job "
            "JOIN target ON target.id = job.target_id JOIN project ON project.id = target.project_id "
            "JOIN namespace ON namespace.id = project.namespace_id WHERE job.build_id = ? AND job.state = 'done' AND "
            "job.skipped = 0 AND EXISTS (SELECT 1 FROM source WHERE source.kind = '" SOURCE_BASE "' AND source.url = "
            "namespace.name || '/' || project.name || '/' || target.name)",
            DB_VALUES(DB_INT(build->id)), read_text, g_free, error);

    for (guint i = 0; targets && i < targets->len; i++) {
        const SourceState state = {.kind = (char *) SOURCE_BASE,
                .url = targets->pdata[i],
                .branch = (char *) "",
                .revision = build->version};

        if (!source_note(model, &state, NULL, error))
            return FALSE;
    }
    return targets != NULL;
}
