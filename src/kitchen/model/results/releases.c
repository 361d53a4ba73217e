/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/results/releases.h"

#include "kitchen/model/builds/builds.h"
#include "kitchen/model/projects/schedule.h"

#define RELEASE_COLUMNS                                                                                                \
    "id, channel_id, build_id, version, state, created, published, percent, halted, schedule, detail, begun FROM release "

void release_free(Release *release) {
    if (!release)
        return;
    g_free(release->version);
    g_free(release->state);
    g_free(release->schedule);
    g_free(release->detail);
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
    release->percent = (guint) database_rows_integer(rows, 7);
    release->halted = database_rows_integer(rows, 8) != 0;
    release->schedule = database_rows_dup(rows, 9);
    release->detail = database_rows_dup(rows, 10);
    release->begun = database_rows_integer(rows, 11);
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

static gboolean check_not_withdrawn(Model *model, const Build *build, GError **error) {
    g_autoptr(GError) failure = NULL;
    gint64 n = database_integer(model_database(model),
            "SELECT count(*) FROM withdrawal WHERE project_id = ? AND version = ?",
            DB_VALUES(DB_INT(build->project_id), DB_TEXT(build->version)), 0, &failure);

    if (!model_check(failure, error))
        return FALSE;
    if (n > 0)
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE,
                "The version %s was withdrawn, and is never published again; build the commit again for a new one",
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

/* What reaches whom is as the channel says. */
static gboolean insert(Model *model, gint64 channel_id, const Build *build, gint64 *ret_id, GError **error) {
    Database *database = model_database(model);
    g_autofree char *schedule = NULL;
    g_autoptr(GArray) steps = NULL;
    g_autoptr(DatabaseRows) rows = database_select(
            database, "SELECT schedule FROM channel WHERE id = ?", DB_VALUES(DB_INT(channel_id)), error);

    if (!rows)
        return FALSE;
    schedule = database_rows_next(rows, NULL) ? database_rows_dup(rows, 0) : NULL;
    steps = schedule ? schedule_parse(schedule, error) : NULL;
    if (schedule && !steps)
        return FALSE;
    return database_run_full(database,
            "INSERT INTO release (channel_id, build_id, version, state, percent, schedule, created) "
            "VALUES (?, ?, ?, 'publishing', ?, ?, ?)",
            DB_VALUES(DB_INT(channel_id), DB_INT(build->id), DB_TEXT(build->version),
                    DB_INT(steps ? schedule_percent(steps, 0) : 100), DB_TEXT(schedule), DB_INT(model_now(model))),
            ret_id, NULL, error);
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
    if (id != 0)
        return database_commit(transaction, error) ? id : 0;
    if (!model_check(failure, error))
        return 0;
    if (!check_not_withdrawn(model, build, error) || !check_newer(model, channel, build, error) ||
            !insert(model, channel, build, &id, error))
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

gboolean release_note_event(Model *model, gint64 release, const char *kind, const char *more, gint64 user, GError **error) {
    return database_run(model_database(model),
            "INSERT INTO event (time, project_id, build_id, user_id, kind, detail) "
            "SELECT ?, project_id, build_id, ?, ?, channel.name || ' ' || version || ? FROM release "
            "JOIN channel ON channel.id = channel_id WHERE release.id = ?",
            DB_VALUES(DB_INT(model_now(model)), DB_ID(user), DB_TEXT(kind), DB_TEXT(more ?: ""), DB_INT(release)), error);
}

/* STATE after "publishing" or FROM; nothing when it is that already. */
static gboolean change_state(Model *model, gint64 release, const char *from, const char *state, const char *detail,
        const char *kind, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);
    guint n = 0;

    if (!transaction ||
            !database_run_full(database, "UPDATE release SET state = ?, detail = ? WHERE id = ? AND state = ?",
                    DB_VALUES(DB_TEXT(state), DB_TEXT(detail), DB_INT(release), DB_TEXT(from)), NULL, &n, error) ||
            (n > 0 && !release_note_event(model, release, kind, NULL, 0, error)))
        return FALSE;
    return database_commit(transaction, error);
}

gboolean release_published(Model *model, gint64 release, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);

    return transaction &&
           database_run(database,
                   "UPDATE release SET published = coalesce(published, ?), begun = coalesce(begun, ?) "
                   "WHERE id = ? AND state = 'publishing'",
                   DB_VALUES(DB_INT(model_now(model)), DB_INT(model_now(model)), DB_INT(release)), error) &&
           change_state(model, release, "publishing", "published", NULL, "release.published", error) &&
           database_commit(transaction, error);
}

gboolean release_waits(Model *model, gint64 release, const char *detail, gint64 seen, GError **error) {
    g_autoptr(GError) failure = NULL;
    gint64 since = database_integer(model_database(model),
            "SELECT count(*) FROM event WHERE build_id = (SELECT build_id FROM release WHERE id = ?) AND id > ? AND kind = "
            "'release.approved'",
            DB_VALUES(DB_INT(release), DB_INT(seen)), 0, &failure);

    if (!model_check(failure, error))
        return FALSE;
    if (since > 0)
        return TRUE;
    return change_state(model, release, "publishing", "approval", detail, "release.approval", error);
}

gboolean release_failed(Model *model, gint64 release, const char *detail, GError **error) {
    return change_state(model, release, "publishing", "failed", detail, "release.failed", error);
}

gboolean release_set_detail(Model *model, gint64 release, const char *detail, GError **error) {
    return database_run(model_database(model), "UPDATE release SET detail = ? WHERE id = ? AND detail IS NOT ?",
            DB_VALUES(DB_TEXT(detail), DB_INT(release), DB_TEXT(detail)), error);
}

gboolean release_removed(Model *model, gint64 release, GError **error) {
    return change_state(model, release, "published", "removed", NULL, "release.removed", error);
}

Release *release_get(Model *model, gint64 id, GError **error) {
    return model_row(model, "SELECT " RELEASE_COLUMNS "WHERE id = ?", DB_VALUES(DB_INT(id)), read_release, "release", error);
}

GPtrArray *release_list_live(Model *model, gint64 channel, GError **error) {
    return model_rows(model,
            "SELECT " RELEASE_COLUMNS "WHERE channel_id = ? AND state = 'published' AND halted = 0 AND version >= "
            "coalesce((SELECT max(version) FROM release WHERE channel_id = ? AND state = 'published' AND halted = 0 AND "
            "percent = 100), '') ORDER BY version DESC",
            DB_VALUES(DB_INT(channel), DB_INT(channel)), read_release, (GDestroyNotify) release_free, error);
}

GPtrArray *release_list_wished(Model *model, GError **error) {
    return model_rows(model,
            "SELECT " RELEASE_COLUMNS "WHERE state = 'publishing' AND EXISTS (SELECT 1 FROM build WHERE build.id = "
            "build_id AND build.state = 'published') ORDER BY id",
            DB_NONE, read_release, (GDestroyNotify) release_free, error);
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
