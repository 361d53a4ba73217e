/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/results/releases.h"

#include "kitchen/model/builds/builds.h"
#include "kitchen/model/builds/events.h"

#define RELEASE_COLUMNS "id, channel_id, build_id, version, state, created, published FROM release "

void release_free(Release *release) {
    if (!release)
        return;
    g_free(release->version);
    g_free(release->state);
    g_free(release);
}

static gpointer read_release(const DatabaseRows *rows) {
    Release *release = g_new0(Release, 1);

    release->id = database_rows_integer(rows, 0);
    release->channel_id = database_rows_integer(rows, 1);
    release->build_id = database_rows_integer(rows, 2);
    release->version = database_rows_dup(rows, 3);
    release->state = database_rows_dup(rows, 4);
    release->created = database_rows_integer(rows, 5);
    release->published = database_rows_integer(rows, 6);
    return release;
}

ReleaseFile *release_file_new(gint64 target_id, const char *name, const char *digest, gint64 size) {
    ReleaseFile *file = g_new0(ReleaseFile, 1);

    file->target_id = target_id;
    file->name = g_strdup(name);
    file->digest = g_strdup(digest);
    file->size = size;
    return file;
}

void release_file_free(ReleaseFile *file) {
    if (!file)
        return;
    g_free(file->name);
    g_free(file->digest);
    g_free(file);
}

static gpointer read_file(const DatabaseRows *rows) {
    return release_file_new(database_rows_integer(rows, 0), database_rows_text(rows, 1), database_rows_text(rows, 2),
            database_rows_integer(rows, 3));
}

/* Devices never go back, and names are never used for other bytes. */
static gboolean check_newer(Model *model, gint64 channel, const Build *build, GError **error) {
    g_autoptr(GError) failure = NULL;
    gint64 n = database_integer(model_database(model),
            "SELECT count(*) FROM release WHERE channel_id = ? AND version >= ?",
            DB_VALUES(DB_INT(channel), DB_TEXT(build->version)), 0, &failure);

    if (!model_check(failure, error))
        return FALSE;
    if (n > 0)
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE,
                "The channel has a version that is newer than %s; build the commit again for a new one",
                build->version);
    return n == 0;
}

static gboolean add_file(Model *model, gint64 release, gint64 channel, const ReleaseFile *file, GError **error) {
    Database *database = model_database(model);
    g_autoptr(GError) failure = NULL;
    gint64 n = database_integer(database,
            "SELECT count(*) FROM release_file JOIN release ON release.id = release_id "
            "WHERE channel_id = ? AND target_id = ? AND name = ? AND digest <> ?",
            DB_VALUES(DB_INT(channel), DB_INT(file->target_id), DB_TEXT(file->name), DB_TEXT(file->digest)), 0,
            &failure);

    if (!model_check(failure, error))
        return FALSE;
    if (n > 0) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE, "%s was published before with other bytes", file->name);
        return FALSE;
    }
    return database_run(database,
            "INSERT INTO release_file (release_id, target_id, name, digest, size) VALUES (?, ?, ?, ?, ?)",
            DB_VALUES(DB_INT(release), DB_INT(file->target_id), DB_TEXT(file->name), DB_TEXT(file->digest),
                    DB_INT(file->size)),
            error);
}

static gint64 find_release(Model *model, gint64 channel, gint64 build, GError **error) {
    return database_integer(model_database(model), "SELECT id FROM release WHERE channel_id = ? AND build_id = ?",
            DB_VALUES(DB_INT(channel), DB_INT(build)), 0, error);
}

gint64 release_begin(Model *model, gint64 channel, gint64 build_id, GPtrArray *files, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);
    g_autoptr(Build) build = transaction ? build_get(model, build_id, error) : NULL;
    g_autoptr(GError) failure = NULL;
    gint64 id = 0;

    if (!build)
        return 0;
    id = find_release(model, channel, build_id, &failure);
    if (id != 0 || !model_check(failure, error))
        return id;
    if (!check_newer(model, channel, build, error) ||
            !database_run_full(database,
                    "INSERT INTO release (channel_id, build_id, version, state, created) "
                    "VALUES (?, ?, ?, 'publishing', ?)",
                    DB_VALUES(DB_INT(channel), DB_INT(build_id), DB_TEXT(build->version), DB_INT(model_now(model))),
                    &id, NULL, error))
        return 0;
    for (guint i = 0; i < files->len; i++)
        if (!add_file(model, id, channel, files->pdata[i], error))
            return 0;
    return database_commit(transaction, error) ? id : 0;
}

gboolean release_set_note(Model *model, gint64 release, gint64 target, const char *digest, GError **error) {
    return database_run(model_database(model),
            "INSERT INTO release_set (release_id, target_id, digest) VALUES (?, ?, ?) "
            "ON CONFLICT (release_id, target_id) DO UPDATE SET digest = excluded.digest",
            DB_VALUES(DB_INT(release), DB_INT(target), DB_TEXT(digest)), error);
}

char *release_set_get(Model *model, gint64 release, gint64 target, GError **error) {
    g_autoptr(DatabaseRows) rows = database_select(model_database(model),
            "SELECT digest FROM release_set WHERE release_id = ? AND target_id = ?",
            DB_VALUES(DB_INT(release), DB_INT(target)), error);

    return rows && database_rows_next(rows, error) ? database_rows_dup(rows, 0) : NULL;
}

static gboolean note_event(Model *model, gint64 release, const char *kind, GError **error) {
    return database_run(model_database(model),
            "INSERT INTO event (time, project_id, build_id, kind, detail) "
            "SELECT ?, project_id, build_id, ?, channel.name || ' ' || version FROM release "
            "JOIN channel ON channel.id = channel_id WHERE release.id = ?",
            DB_VALUES(DB_INT(model_now(model)), DB_TEXT(kind), DB_INT(release)), error);
}

/* STATE after one of FROM; nothing when it is that already. */
static gboolean change_state(
        Model *model, gint64 release, const char *from, const char *state, const char *kind, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);
    guint n = 0;

    if (!transaction ||
            !database_run_full(database,
                    "UPDATE release SET state = ?, published = coalesce(published, ?) "
                    "WHERE id = ? AND state = ?",
                    DB_VALUES(DB_TEXT(state), DB_INT(model_now(model)), DB_INT(release), DB_TEXT(from)), NULL, &n,
                    error) ||
            (n > 0 && !note_event(model, release, kind, error)))
        return FALSE;
    return database_commit(transaction, error);
}

gboolean release_published(Model *model, gint64 release, GError **error) {
    return change_state(model, release, "publishing", "published", "release.published", error);
}

gboolean release_removed(Model *model, gint64 release, GError **error) {
    return change_state(model, release, "published", "removed", "release.removed", error);
}

GPtrArray *release_list(Model *model, gint64 channel, gboolean only_published, GError **error) {
    return model_rows(model,
            "SELECT " RELEASE_COLUMNS "WHERE channel_id = ? AND (? = 0 OR state = 'published') ORDER BY version DESC",
            DB_VALUES(DB_INT(channel), DB_INT(only_published)), read_release, (GDestroyNotify) release_free, error);
}

GPtrArray *release_list_of_build(Model *model, gint64 build, GError **error) {
    return model_rows(model, "SELECT " RELEASE_COLUMNS "WHERE build_id = ? ORDER BY channel_id",
            DB_VALUES(DB_INT(build)), read_release, (GDestroyNotify) release_free, error);
}

GPtrArray *release_files(Model *model, gint64 release, gint64 target, GError **error) {
    return model_rows(model,
            "SELECT target_id, name, digest, size FROM release_file "
            "WHERE release_id = ? AND (? = 0 OR target_id = ?) ORDER BY name, target_id",
            DB_VALUES(DB_INT(release), DB_INT(target), DB_INT(target)), read_file, (GDestroyNotify) release_file_free,
            error);
}
