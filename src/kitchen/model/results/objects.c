/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/results/objects.h"

#include "base/hex.h"

#define ARTIFACT_COLUMNS                                                                                               \
    "artifact.id, job_id, artifact.name, artifact.kind, artifact.digest, artifact.size FROM artifact "

void artifact_free(Artifact *artifact) {
    if (!artifact)
        return;
    g_free(artifact->name);
    g_free(artifact->kind);
    g_free(artifact->digest);
    g_free(artifact);
}

static gpointer read_artifact(const DatabaseRows *rows) {
    Artifact *artifact = g_new0(Artifact, 1);

    artifact->id = database_rows_integer(rows, 0);
    artifact->job_id = database_rows_integer(rows, 1);
    artifact->name = database_rows_dup(rows, 2);
    artifact->kind = database_rows_dup(rows, 3);
    artifact->digest = database_rows_dup(rows, 4);
    artifact->size = database_rows_integer(rows, 5);
    return artifact;
}

gboolean object_note(Model *model, const char *digest, gint64 size, gint64 job, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);

    /* "created" is when it came last: what was just sent is in use. */
    return transaction &&
           database_run(database,
                   "INSERT INTO object (digest, size, created) VALUES (?, ?, ?) "
                   "ON CONFLICT (digest) DO UPDATE SET created = excluded.created",
                   DB_VALUES(DB_TEXT(digest), DB_INT(size), DB_INT(model_now(model))), error) &&
           (job == 0 || database_run(database,
                                "INSERT INTO job_object (job_id, digest) VALUES (?, ?) "
                                "ON CONFLICT (job_id, digest) DO NOTHING",
                                DB_VALUES(DB_INT(job), DB_TEXT(digest)), error)) &&
           database_commit(transaction, error);
}

int object_is_of_job(Model *model, const char *digest, gint64 job, GError **error) {
    g_autoptr(GError) failure = NULL;
    gint64 n = database_integer(model_database(model),
            "SELECT (SELECT count(*) FROM job_object WHERE job_id = ? AND digest = ?) + "
            "(SELECT count(*) FROM job JOIN build ON build.id = build_id WHERE job.id = ? AND source = ?) + "
            "(SELECT count(*) FROM job JOIN build_source AS base ON base.build_id = job.build_id WHERE job.id = ? AND "
            "base.object = ?)",
            DB_VALUES(DB_INT(job), DB_TEXT(digest), DB_INT(job), DB_TEXT(digest), DB_INT(job), DB_TEXT(digest)), 0,
            &failure);

    return model_check(failure, error) ? n > 0 : -1;
}

gint64 object_size(Model *model, const char *digest, GError **error) {
    return database_integer(
            model_database(model), "SELECT size FROM object WHERE digest = ?", DB_VALUES(DB_TEXT(digest)), -1, error);
}

gint64 object_bytes_of_job(Model *model, gint64 job, GError **error) {
    return database_integer(model_database(model),
            "SELECT sum(size) FROM job_object JOIN object ON object.digest = job_object.digest WHERE job_id = ?",
            DB_VALUES(DB_INT(job)), 0, error);
}

static gpointer read_text(const DatabaseRows *rows) {
    return database_rows_dup(rows, 0);
}

GPtrArray *object_list_unused(Model *model, gint64 before, GError **error) {
    return model_rows(model,
            "SELECT digest FROM object WHERE created < ? "
            "AND digest NOT IN (SELECT digest FROM input_set) "
            "AND digest NOT IN (SELECT digest FROM release_file JOIN release ON release.id = release_id "
            "WHERE release.state IN ('publishing', 'published')) "
            "AND digest NOT IN (SELECT coalesce(source, '') FROM build WHERE finished IS NULL OR "
            "finished >= ?) "
            "AND digest NOT IN (SELECT digest FROM job_object JOIN job ON job.id = job_id "
            "JOIN build ON build.id = build_id WHERE build.finished IS NULL OR build.finished >= ?) "
            "AND digest NOT IN (SELECT digest FROM artifact JOIN job ON job.id = job_id "
            "JOIN build ON build.id = build_id WHERE build.finished IS NULL OR build.finished >= ?) "
            "AND digest NOT IN (SELECT object FROM build_source JOIN build ON build.id = build_id WHERE "
            "object IS NOT NULL AND (build.finished IS NULL OR build.finished >= ?)) "
            "ORDER BY digest",
            DB_VALUES(DB_INT(before), DB_INT(before), DB_INT(before), DB_INT(before), DB_INT(before)), read_text,
            g_free, error);
}

gboolean object_forget(Model *model, const char *digest, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);

    return transaction &&
           database_run(database, "DELETE FROM job_object WHERE digest = ?", DB_VALUES(DB_TEXT(digest)), error) &&
           database_run(database, "DELETE FROM object WHERE digest = ?", DB_VALUES(DB_TEXT(digest)), error) &&
           database_commit(transaction, error);
}

gboolean input_set_put(Model *model, gint64 job, const char *digest, GError **error) {
    return database_run(model_database(model),
            "INSERT INTO input_set (job_id, digest) VALUES (?, ?) "
            "ON CONFLICT (job_id) DO UPDATE SET digest = excluded.digest",
            DB_VALUES(DB_INT(job), DB_TEXT(digest)), error);
}

char *input_set_get(Model *model, gint64 job, GError **error) {
    g_autoptr(DatabaseRows) rows = database_select(
            model_database(model), "SELECT digest FROM input_set WHERE job_id = ?", DB_VALUES(DB_INT(job)), error);

    return rows && database_rows_next(rows, error) ? database_rows_dup(rows, 0) : NULL;
}

char *input_set_published(Model *model, gint64 target, gint64 *ret_build, GError **error) {
    g_autoptr(DatabaseRows) rows = database_select(model_database(model),
            "SELECT digest, build.id FROM input_set JOIN job ON job.id = input_set.job_id "
            "JOIN build ON build.id = job.build_id WHERE job.target_id = ? AND job.state = 'done' AND "
            "build.state = 'published' ORDER BY build.number DESC, job.attempt DESC LIMIT 1",
            DB_VALUES(DB_INT(target)), error);

    if (!rows || !database_rows_next(rows, error))
        return NULL;
    *ret_build = database_rows_integer(rows, 1);
    return database_rows_dup(rows, 0);
}

char *input_set_failed(Model *model, gint64 target, gint64 *ret_build, GError **error) {
    g_autoptr(DatabaseRows) rows = database_select(model_database(model),
            "SELECT digest, build.id FROM input_set JOIN job ON job.id = input_set.job_id "
            "JOIN build ON build.id = job.build_id WHERE job.target_id = ? AND job.state = 'failed' AND "
            "job.failure IN ('recipe', 'script', 'check') AND build.same_as IS NULL "
            "ORDER BY build.number DESC, job.attempt DESC LIMIT 1",
            DB_VALUES(DB_INT(target)), error);

    if (!rows || !database_rows_next(rows, error))
        return NULL;
    *ret_build = database_rows_integer(rows, 1);
    return database_rows_dup(rows, 0);
}

/* The same name with the same bytes was added before: the worker repeats itself. */
static gboolean is_repeated(Model *model, const Artifact *artifact, GError **error) {
    g_autoptr(GError) failure = NULL;
    gint64 n = database_integer(model_database(model),
            "SELECT count(*) FROM artifact WHERE job_id = ? AND name = ? AND digest = ?",
            DB_VALUES(DB_INT(artifact->job_id), DB_TEXT(artifact->name), DB_TEXT(artifact->digest)), 0, &failure);

    return model_check(failure, error) && n > 0;
}

gboolean artifact_add(Model *model, const Artifact *artifact, GError **error) {
    g_autoptr(GError) failure = NULL;
    int own = object_is_of_job(model, artifact->digest, artifact->job_id, error);

    if (own < 0)
        return FALSE;
    if (!own || !hex_is_lower(artifact->digest, 64)) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID, "The job has sent no object %s for the artifact %s",
                artifact->digest, artifact->name);
        return FALSE;
    }
    if (is_repeated(model, artifact, &failure))
        return TRUE;
    return model_check(failure, error) &&
           database_run(model_database(model),
                   "INSERT INTO artifact (job_id, name, kind, digest, size) VALUES (?, ?, ?, ?, ?)",
                   DB_VALUES(DB_INT(artifact->job_id), DB_TEXT(artifact->name), DB_TEXT(artifact->kind),
                           DB_TEXT(artifact->digest), DB_INT(artifact->size)),
                   error);
}

GPtrArray *artifact_list(Model *model, gint64 job, GError **error) {
    return model_rows(model, "SELECT " ARTIFACT_COLUMNS "WHERE job_id = ? ORDER BY name", DB_VALUES(DB_INT(job)),
            read_artifact, (GDestroyNotify) artifact_free, error);
}

GPtrArray *artifact_list_of_build(Model *model, gint64 build, GError **error) {
    return model_rows(model,
            "SELECT " ARTIFACT_COLUMNS "JOIN job ON job.id = job_id "
            "WHERE build_id = ? AND job.state = 'done' ORDER BY artifact.name, artifact.id",
            DB_VALUES(DB_INT(build)), read_artifact, (GDestroyNotify) artifact_free, error);
}

GPtrArray *artifact_list_of_digest(Model *model, const char *digest, GError **error) {
    return model_rows(model, "SELECT " ARTIFACT_COLUMNS "WHERE digest = ? ORDER BY id", DB_VALUES(DB_TEXT(digest)),
            read_artifact, (GDestroyNotify) artifact_free, error);
}

gboolean signature_note(
        Model *model, gint64 project, gint64 job, const char *type, const char *title, gint64 leaf, GError **error) {
    return database_run(model_database(model),
            "INSERT INTO signature (job_id, project_id, type, title, leaf, created) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            DB_VALUES(DB_ID(job), DB_INT(project), DB_TEXT(type), DB_TEXT(title), leaf >= 0 ? DB_INT(leaf) : DB_NULL,
                    DB_INT(model_now(model))),
            error);
}
