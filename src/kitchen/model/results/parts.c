/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/results/parts.h"

static void free_reason(gpointer data) {
    ReasonView *view = data;

    g_free(view->text);
    g_free(view->target);
    g_free(view);
}

static gpointer read_reason(const DatabaseRows *rows) {
    ReasonView *view = g_new0(ReasonView, 1);

    view->text = database_rows_dup(rows, 0);
    view->target = database_rows_dup(rows, 1);
    return view;
}

GPtrArray *reason_views(Database *database, gint64 build_id, GError **error) {
    return database_list(database,
            "SELECT r.text, t.name FROM build_reason r LEFT JOIN target t ON t.id = r.target_id WHERE r.build_id = ? "
            "ORDER BY r.position",
            DB_VALUES(DB_INT(build_id)), read_reason, free_reason, error);
}

static void free_artifact(gpointer data) {
    ArtifactView *view = data;

    g_free(view->name);
    g_free(view->target);
    g_free(view->digest);
    g_free(view);
}

static gpointer read_artifact(const DatabaseRows *rows) {
    ArtifactView *view = g_new0(ArtifactView, 1);

    view->name = database_rows_dup(rows, 0);
    view->target = database_rows_dup(rows, 1);
    view->digest = database_rows_dup(rows, 2);
    view->size = database_rows_integer(rows, 3);
    return view;
}

GPtrArray *artifact_views(Database *database, gint64 build_id, GError **error) {
    return database_list(database,
            "SELECT a.name, t.name, a.digest, a.size FROM artifact a JOIN job j ON j.id = a.job_id JOIN target t ON t.id = "
            "j.target_id WHERE j.build_id = ? AND j.state = 'done' ORDER BY t.name, a.name",
            DB_VALUES(DB_INT(build_id)), read_artifact, free_artifact, error);
}

static void free_owner(gpointer data) {
    ArtifactOwner *owner = data;

    g_free(owner->name);
    g_free(owner);
}

static gpointer read_owner(const DatabaseRows *rows) {
    ArtifactOwner *owner = g_new0(ArtifactOwner, 1);

    owner->name = database_rows_dup(rows, 0);
    owner->namespace_id = database_rows_integer(rows, 1);
    owner->project_id = database_rows_integer(rows, 2);
    owner->is_public = database_rows_integer(rows, 3) != 0;
    return owner;
}

GPtrArray *artifact_owners(Database *database, const char *digest, GError **error) {
    return database_list(database,
            "SELECT a.name, p.namespace_id, p.id, p.public FROM artifact a JOIN job j ON j.id = a.job_id JOIN build b "
            "ON b.id = j.build_id JOIN project p ON p.id = b.project_id WHERE a.digest = ?",
            DB_VALUES(DB_TEXT(digest)), read_owner, free_owner, error);
}

static void free_signature(gpointer data) {
    SignatureView *view = data;

    g_free(view->type);
    g_free(view->title);
    g_free(view);
}

static gpointer read_signature(const DatabaseRows *rows) {
    SignatureView *view = g_new0(SignatureView, 1);

    view->type = database_rows_dup(rows, 0);
    view->title = database_rows_dup(rows, 1);
    view->leaf = database_rows_is_null(rows, 2) ? -1 : database_rows_integer(rows, 2);
    return view;
}

GPtrArray *signature_views(Database *database, gint64 build_id, GError **error) {
    return database_list(database,
            "SELECT s.type, s.title, s.leaf FROM signature s JOIN job j ON j.id = s.job_id WHERE j.build_id = ? ORDER BY s.id",
            DB_VALUES(DB_INT(build_id)), read_signature, free_signature, error);
}

static void free_use(gpointer data) {
    SignatureUse *use = data;

    g_free(use->type);
    g_free(use);
}

static gpointer read_use(const DatabaseRows *rows) {
    SignatureUse *use = g_new0(SignatureUse, 1);

    use->type = database_rows_dup(rows, 0);
    use->n = database_rows_integer(rows, 1);
    use->last = database_rows_integer(rows, 2);
    return use;
}

GPtrArray *signature_uses(Database *database, gint64 project_id, GError **error) {
    return database_list(database,
            "SELECT type, count(*), max(created) FROM signature WHERE project_id = ? GROUP BY type ORDER BY type",
            DB_VALUES(DB_INT(project_id)), read_use, free_use, error);
}

static void free_target(gpointer data) {
    TargetView *view = data;

    g_free(view->name);
    g_free(view->profiles);
    g_free(view->architecture);
    g_free(view->state);
    g_free(view);
}

static gpointer read_target(const DatabaseRows *rows) {
    TargetView *view = g_new0(TargetView, 1);

    view->name = database_rows_dup(rows, 0);
    view->profiles = database_rows_dup(rows, 1);
    view->architecture = database_rows_dup(rows, 2);
    view->required = database_rows_integer(rows, 3) != 0;
    view->state = database_rows_dup(rows, 4);
    return view;
}

GPtrArray *target_views(Database *database, gint64 project_id, gint64 number, GError **error) {
    return database_list(database,
            "SELECT t.name, t.profiles, t.architecture, t.required, (SELECT j.state FROM job j JOIN build b ON "
            "b.id = j.build_id WHERE j.target_id = t.id AND b.project_id = t.project_id AND b.number = ? "
            "ORDER BY j.attempt DESC LIMIT 1) FROM target t WHERE t.project_id = ? ORDER BY t.name",
            DB_VALUES(DB_INT(number), DB_INT(project_id)), read_target, free_target, error);
}

static void free_channel(gpointer data) {
    ChannelView *view = data;

    g_free(view->name);
    g_free(view->version);
    g_free(view);
}

static gpointer read_channel(const DatabaseRows *rows) {
    ChannelView *view = g_new0(ChannelView, 1);

    view->id = database_rows_integer(rows, 0);
    view->name = database_rows_dup(rows, 1);
    view->version = database_rows_dup(rows, 2);
    view->published = database_rows_integer(rows, 3);
    return view;
}

GPtrArray *channel_views(Database *database, gint64 project_id, GError **error) {
    return database_list(database,
            "SELECT c.id, c.name, r.version, r.published FROM channel c LEFT JOIN release r ON r.id = (SELECT id FROM "
            "release WHERE channel_id = c.id AND state = 'published' ORDER BY id DESC LIMIT 1) WHERE c.project_id = ? "
            "ORDER BY c.name",
            DB_VALUES(DB_INT(project_id)), read_channel, free_channel, error);
}

static void free_release(gpointer data) {
    ReleaseView *view = data;

    g_free(view->version);
    g_free(view->state);
    g_free(view->schedule);
    g_free(view->detail);
    g_free(view);
}

static gpointer read_release(const DatabaseRows *rows) {
    ReleaseView *view = g_new0(ReleaseView, 1);

    view->version = database_rows_dup(rows, 0);
    view->state = database_rows_dup(rows, 1);
    view->time = database_rows_integer(rows, 2);
    view->number = database_rows_integer(rows, 3);
    view->id = database_rows_integer(rows, 4);
    view->percent = database_rows_integer(rows, 5);
    view->halted = database_rows_integer(rows, 6) != 0;
    view->schedule = database_rows_dup(rows, 7);
    view->detail = database_rows_dup(rows, 8);
    view->approvals = database_rows_integer(rows, 9);
    return view;
}

GPtrArray *release_views(Database *database, gint64 channel_id, guint limit, GError **error) {
    return database_list(database,
            "SELECT r.version, r.state, coalesce(r.published, r.created), b.number, r.id, r.percent, r.halted, r.schedule, "
            "r.detail, (SELECT count(DISTINCT fingerprint) FROM approval WHERE release_id = r.id) FROM release r JOIN build b ON b.id = "
            "r.build_id WHERE r.channel_id = ? ORDER BY r.id DESC LIMIT ?",
            DB_VALUES(DB_INT(channel_id), DB_INT(limit)), read_release, free_release, error);
}

static void free_file(gpointer data) {
    ReleaseFileView *view = data;

    g_free(view->target);
    g_free(view->previous);
    g_free(view->name);
    g_free(view->digest);
    g_free(view);
}

static gpointer read_file(const DatabaseRows *rows) {
    ReleaseFileView *view = g_new0(ReleaseFileView, 1);

    view->target_id = database_rows_integer(rows, 0);
    view->target = database_rows_dup(rows, 1);
    view->previous = database_rows_dup(rows, 2);
    view->name = database_rows_dup(rows, 3);
    view->digest = database_rows_dup(rows, 4);
    view->size = database_rows_integer(rows, 5);
    return view;
}

GPtrArray *release_file_views(Database *database, gint64 release_id, GError **error) {
    return database_list(database,
            "SELECT t.id, t.name, (SELECT max(o.version) FROM release o JOIN release_set s ON s.release_id = o.id AND "
            "s.target_id = t.id WHERE o.channel_id = r.channel_id AND o.version < r.version AND o.state <> 'withdrawn'), "
            "f.name, f.digest, f.size FROM release_file f JOIN release r ON r.id = f.release_id JOIN target t ON t.id = "
            "f.target_id WHERE r.id = ? ORDER BY t.name, f.name",
            DB_VALUES(DB_INT(release_id)), read_file, free_file, error);
}

static gpointer read_text(const DatabaseRows *rows) {
    return database_rows_dup(rows, 0);
}

char *certificate_view(Database *database, gint64 project_id, const char *purpose, GError **error) {
    return database_first(database, "SELECT text FROM key_certificate WHERE project_id = ? AND purpose = ?",
            DB_VALUES(DB_INT(project_id), DB_TEXT(purpose)), read_text, error);
}

static void free_event(gpointer data) {
    EventView *view = data;

    g_free(view->kind);
    g_free(view->detail);
    g_free(view);
}

static gpointer read_event(const DatabaseRows *rows) {
    EventView *view = g_new0(EventView, 1);

    view->id = database_rows_integer(rows, 0);
    view->time = database_rows_integer(rows, 1);
    view->kind = database_rows_dup(rows, 2);
    view->detail = database_rows_dup(rows, 3);
    view->build_id = database_rows_integer(rows, 4);
    view->job_id = database_rows_integer(rows, 5);
    return view;
}

GPtrArray *event_views(Database *database, gint64 project_id, gint64 before, guint limit, GError **error) {
    return database_list(database,
            "SELECT id, time, kind, detail, build_id, job_id FROM event WHERE project_id = ? AND id < ? ORDER BY id DESC "
            "LIMIT ?",
            DB_VALUES(DB_INT(project_id), DB_INT(before > 0 ? before : G_MAXINT64), DB_INT(limit)), read_event,
            free_event, error);
}
