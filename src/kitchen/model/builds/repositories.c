/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/builds/repositories.h"

#include "kitchen/model/builds/requests.h"

#define DAY (24 * 60 * 60 * 1000)

Repository *repository_new(const char *url, const char *digest) {
    Repository *repository = g_new0(Repository, 1);

    repository->url = g_strdup(url);
    repository->digest = g_strdup(digest);
    return repository;
}

void repository_free(Repository *repository) {
    if (!repository)
        return;
    g_free(repository->url);
    g_free(repository->digest);
    g_free(repository->etag);
    g_free(repository->last_modified);
    g_free(repository);
}

static gpointer read_repository(const DatabaseRows *rows) {
    Repository *repository = repository_new(database_rows_text(rows, 0), database_rows_text(rows, 1));

    repository->etag = database_rows_dup(rows, 2);
    repository->last_modified = database_rows_dup(rows, 3);
    return repository;
}

gboolean project_set_repositories(Model *model, gint64 project, GPtrArray *repositories, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);

    /* Of a project with more targets each has its own; what none uses any more leads to a job that skips. */
    if (!transaction || !database_run(database,
                                "DELETE FROM project_repository WHERE project_id = ? AND "
                                "(SELECT count(*) FROM target WHERE target.project_id = ?) = 1",
                                DB_VALUES(DB_INT(project), DB_INT(project)), error))
        return FALSE;
    for (guint i = 0; i < repositories->len; i++) {
        const Repository *repository = repositories->pdata[i];

        if (!database_run(database,
                    "INSERT INTO project_repository (project_id, url, digest) VALUES (?, ?, ?) "
                    "ON CONFLICT (project_id, url) DO UPDATE SET digest = excluded.digest",
                    DB_VALUES(DB_INT(project), DB_TEXT(repository->url), DB_TEXT(repository->digest)), error))
            return FALSE;
    }
    return database_commit(transaction, error);
}

GPtrArray *repository_list_due(Model *model, gint64 interval, GError **error) {
    return model_rows(model,
            "SELECT DISTINCT used.url, state.digest, state.etag, state.last_modified, coalesce(state.checked, 0) AS seen "
            "FROM project_repository AS used JOIN project ON project.id = used.project_id "
            "LEFT JOIN repository_state AS state ON state.url = used.url "
            "WHERE project.archived = 0 AND project.packages <> 'never' AND coalesce(state.checked, 0) + ? <= ? "
            "ORDER BY seen, used.url",
            DB_VALUES(DB_INT(interval), DB_INT(model_now(model))), read_repository, (GDestroyNotify) repository_free,
            error);
}

static gpointer read_id(const DatabaseRows *rows) {
    gint64 id = database_rows_integer(rows, 0);

    return g_memdup2(&id, sizeof id);
}

/* Projects that were built from other content of the repository, and whose turn it is. */
static GPtrArray *list_concerned(Model *model, const Repository *repository, GError **error) {
    return model_rows(model,
            "SELECT project.id FROM project_repository AS used JOIN project ON project.id = used.project_id "
            "WHERE used.url = ? AND coalesce(used.digest, '') <> ? AND project.archived = 0 AND "
            "(project.packages = 'at-once' OR (project.packages = 'daily' AND coalesce(project.packages_wished, 0) + ? <= ?)) "
            "ORDER BY project.id",
            DB_VALUES(DB_TEXT(repository->url), DB_TEXT(repository->digest), DB_INT(DAY), DB_INT(model_now(model))),
            read_id, g_free, error);
}

/* One wish for a project and content: while it is answered, and when it leads to nothing, the repository stays the same. */
static gboolean wish(Model *model, gint64 project, const Repository *repository, GError **error) {
    Database *database = model_database(model);
    BuildWish packages = {.project_id = project, .cause = "packages", .caused_by = repository->url};

    return build_request_add(model, &packages, error) != 0 &&
           database_run(database, "UPDATE project SET packages_wished = ? WHERE id = ?",
                   DB_VALUES(DB_INT(model_now(model)), DB_INT(project)), error) &&
           database_run(database, "UPDATE project_repository SET digest = ? WHERE project_id = ? AND url = ?",
                   DB_VALUES(DB_TEXT(repository->digest), DB_INT(project), DB_TEXT(repository->url)), error);
}

gboolean repository_note(
        Model *model, const Repository *repository, const char *failure, guint *ret_wishes, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);
    g_autoptr(GPtrArray) concerned = NULL;

    if (!transaction ||
            !database_run(database,
                    "INSERT INTO repository_state (url, etag, last_modified, digest, checked, error) VALUES (?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT (url) DO UPDATE SET etag = excluded.etag, last_modified = excluded.last_modified, "
                    "changed = CASE WHEN digest IS NOT excluded.digest THEN excluded.checked ELSE changed END, "
                    "digest = excluded.digest, checked = excluded.checked, error = excluded.error",
                    DB_VALUES(DB_TEXT(repository->url), DB_TEXT(repository->etag), DB_TEXT(repository->last_modified),
                            DB_TEXT(repository->digest), DB_INT(model_now(model)), DB_TEXT(failure)),
                    error))
        return FALSE;
    if (!failure && repository->digest) {
        concerned = list_concerned(model, repository, error);
        if (!concerned)
            return FALSE;
    }
    for (guint i = 0; concerned && i < concerned->len; i++)
        if (!wish(model, *(gint64 *) concerned->pdata[i], repository, error))
            return FALSE;
    if (ret_wishes)
        *ret_wishes = concerned ? concerned->len : 0;
    return database_commit(transaction, error);
}
