/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/builds/build-sources.h"

#include <string.h>

#define SHORT_COMMIT 7

void build_source_free(BuildSource *source) {
    if (!source)
        return;
    g_free(source->name);
    g_free(source->kind);
    g_free(source->url);
    g_free(source->branch);
    g_free(source->revision);
    g_free(source->object);
    g_free(source->file);
    g_free(source);
}

static gpointer read_build_source(const DatabaseRows *rows) {
    BuildSource *source = g_new0(BuildSource, 1);

    source->name = database_rows_dup(rows, 0);
    source->kind = database_rows_dup(rows, 1);
    source->url = database_rows_dup(rows, 2);
    source->branch = database_rows_dup(rows, 3);
    source->revision = database_rows_dup(rows, 4);
    source->object = database_rows_dup(rows, 5);
    source->file = database_rows_dup(rows, 6);
    return source;
}

GPtrArray *build_sources(Model *model, gint64 build, GError **error) {
    return model_rows(model,
            "SELECT name, kind, url, branch, revision, object, file FROM build_source WHERE build_id = ? ORDER BY name",
            DB_VALUES(DB_INT(build)), read_build_source, (GDestroyNotify) build_source_free, error);
}

/* The tree, or else the disk, that the base SOURCE published as its revision. */
static gboolean find_artifact(Model *model, gint64 build, const BuildSource *source, GError **error) {
    g_autoptr(GError) failure = NULL;
    g_autoptr(DatabaseRows) rows = database_select(model_database(model),
            "SELECT artifact.digest, artifact.name FROM artifact JOIN job ON job.id = artifact.job_id "
            "JOIN build ON build.id = job.build_id JOIN target ON target.id = job.target_id "
            "JOIN project ON project.id = target.project_id JOIN namespace ON namespace.id = project.namespace_id "
            "WHERE namespace.name || '/' || project.name || '/' || target.name = ? AND build.version = ? AND "
            "build.state = 'published' AND job.state = 'done' AND job.skipped = 0 AND "
            "(artifact.name LIKE '%.tar' OR artifact.name LIKE '%.tar.%' OR artifact.kind = 'disk') "
            "ORDER BY artifact.kind = 'disk', artifact.name LIMIT 1",
            DB_VALUES(DB_TEXT(source->url), DB_TEXT(source->revision)), error);

    if (!rows)
        return FALSE;
    if (database_rows_next(rows, &failure))
        return database_run(model_database(model),
                "UPDATE build_source SET object = ?, file = ? WHERE build_id = ? AND name = ?",
                DB_VALUES(DB_TEXT(database_rows_text(rows, 0)), DB_TEXT(database_rows_text(rows, 1)), DB_INT(build),
                        DB_TEXT(source->name)),
                error);
    if (model_check(failure, error))
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE,
                "The base %s has published neither a tree (Format=tar) nor a disk in version %s", source->url,
                source->revision);
    return FALSE;
}

/* A base that has published nothing yet is waited for: its first release makes a wish. */
static gboolean check_bases(Model *model, gint64 project, GError **error) {
    g_autoptr(GError) failure = NULL;
    g_autoptr(DatabaseRows) rows = database_select(model_database(model),
            "SELECT source.url FROM source LEFT JOIN source_state AS state ON state.kind = source.kind AND "
            "state.url = source.url WHERE source.project_id = ? AND source.kind = '" SOURCE_BASE "' AND "
            "state.revision IS NULL",
            DB_VALUES(DB_INT(project)), error);

    if (!rows)
        return FALSE;
    if (!database_rows_next(rows, &failure))
        return model_check(failure, error);
    g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE, "The base %s has published nothing yet",
            database_rows_text(rows, 0));
    return FALSE;
}

gboolean build_take_sources(Model *model, gint64 project, gint64 build, GError **error) {
    g_autoptr(GPtrArray) taken = NULL;

    if (!check_bases(model, project, error) ||
            !database_run(model_database(model),
                    "INSERT INTO build_source (build_id, name, kind, url, branch, revision) "
                    "SELECT ?, source.name, source.kind, source.url, source.branch, state.revision FROM source "
                    "JOIN source_state AS state ON state.kind = source.kind AND state.url = source.url AND "
                    "state.branch = source.branch WHERE source.project_id = ? AND state.revision IS NOT NULL",
                    DB_VALUES(DB_INT(build), DB_INT(project)), error))
        return FALSE;
    taken = build_sources(model, build, error);
    for (guint i = 0; taken && i < taken->len; i++) {
        const BuildSource *source = taken->pdata[i];

        if (strcmp(source->kind, SOURCE_BASE) == 0 && !find_artifact(model, build, source, error))
            return FALSE;
    }
    return taken != NULL;
}

/* ---- differences ---- */

static const BuildSource *find(GPtrArray *sources, const char *name) {
    for (guint i = 0; i < sources->len; i++) {
        const BuildSource *source = sources->pdata[i];

        if (strcmp(source->name, name) == 0)
            return source;
    }
    return NULL;
}

static char *describe_change(const BuildSource *before, const BuildSource *after) {
    if (strcmp(before->kind, after->kind) != 0 || strcmp(before->url, after->url) != 0 ||
            strcmp(before->branch, after->branch) != 0)
        return g_strdup_printf("source `%s`: %s → %s", after->name, before->url, after->url);
    if (strcmp(before->revision, after->revision) == 0)
        return NULL;
    if (strcmp(after->kind, SOURCE_BASE) == 0)
        return g_strdup_printf("base `%s` %s → %s", after->url, before->revision, after->revision);
    if (strcmp(after->kind, SOURCE_URL) == 0)
        return g_strdup_printf("source `%s` changed (%s)", after->name, after->url);
    return g_strdup_printf(
            "source `%s`: %.*s → %.*s", after->name, SHORT_COMMIT, before->revision, SHORT_COMMIT, after->revision);
}

static const char *kind_of(const BuildSource *source) {
    return strcmp(source->kind, SOURCE_BASE) == 0 ? "base" : "source";
}

static void take_reason(GPtrArray *reasons, const BuildSource *source, char *text) {
    gboolean is_base = strcmp(source->kind, SOURCE_BASE) == 0;

    /* A base matters more than what is built on it. */
    if (text)
        g_ptr_array_insert(reasons, is_base ? 0 : -1, build_reason_new(kind_of(source), text, 0));
    g_free(text);
}

gboolean build_sources_compare(Model *model, gint64 before, gint64 after, GPtrArray *reasons, GError **error) {
    g_autoptr(GPtrArray) old = build_sources(model, before, error);
    g_autoptr(GPtrArray) new = old ? build_sources(model, after, error) : NULL;

    if (!new)
        return FALSE;
    for (guint i = 0; i < new->len; i++) {
        const BuildSource *source = new->pdata[i];
        const BuildSource *was = find(old, source->name);

        take_reason(reasons, source,
                was ? describe_change(was, source)
                    : g_strdup_printf("%s `%s` was added", kind_of(source),
                              strcmp(source->kind, SOURCE_BASE) == 0 ? source->url : source->name));
    }
    for (guint i = 0; i < old->len; i++) {
        const BuildSource *source = old->pdata[i];

        if (!find(new, source->name))
            take_reason(reasons, source,
                    g_strdup_printf("%s `%s` was removed", kind_of(source),
                            strcmp(source->kind, SOURCE_BASE) == 0 ? source->url : source->name));
    }
    return TRUE;
}
