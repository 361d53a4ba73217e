/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/builds/events.h"

void event_free(Event *event) {
    if (!event)
        return;
    g_free(event->kind);
    g_free(event->detail);
    g_free(event);
}

gboolean event_add(Model *model, const Event *event, GError **error) {
    return database_run(model_database(model),
            "INSERT INTO event (time, project_id, build_id, job_id, user_id, kind, detail) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            DB_VALUES(DB_INT(model_now(model)), DB_ID(event->project_id), DB_ID(event->build_id), DB_ID(event->job_id),
                    DB_ID(event->user_id), DB_TEXT(event->kind), DB_TEXT(event->detail)),
            error);
}

static gpointer read_event(const DatabaseRows *rows) {
    Event *event = g_new0(Event, 1);

    event->id = database_rows_integer(rows, 0);
    event->time = database_rows_integer(rows, 1);
    event->project_id = database_rows_integer(rows, 2);
    event->build_id = database_rows_integer(rows, 3);
    event->job_id = database_rows_integer(rows, 4);
    event->user_id = database_rows_integer(rows, 5);
    event->kind = database_rows_dup(rows, 6);
    event->detail = database_rows_dup(rows, 7);
    return event;
}

GPtrArray *event_list(Model *model, gint64 after, gint64 project, gint64 build, guint limit, GError **error) {
    return model_rows(model,
            "SELECT id, time, project_id, build_id, job_id, user_id, kind, detail FROM event "
            "WHERE id > ? AND (? = 0 OR project_id = ?) AND (? = 0 OR build_id = ?) ORDER BY id LIMIT ?",
            DB_VALUES(DB_INT(after), DB_INT(project), DB_INT(project), DB_INT(build), DB_INT(build), DB_INT(limit)),
            read_event, (GDestroyNotify) event_free, error);
}

gint64 event_last(Model *model, GError **error) {
    return database_integer(model_database(model), "SELECT max(id) FROM event", DB_NONE, 0, error);
}
