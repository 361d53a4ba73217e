/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/builds/queue.h"

#define ACTIVE "('submitted', 'claimed', 'running', 'uploaded')"

/* Queued jobs in their order. BLOCKER is the number of another build of the project that is at work. */
#define QUEUE                                                                                                          \
    "WITH busy (namespace_id, n) AS (SELECT namespace_id, count(*) FROM job "                                          \
    "JOIN build ON build.id = build_id JOIN project ON project.id = build.project_id "                                 \
    "WHERE job.state IN " ACTIVE " GROUP BY namespace_id) "                                                            \
    "SELECT job.id, build.id, build.number, build.priority, job.created, namespace.name, project.name, "               \
    "target.name, job.wait_reason, (SELECT min(other.number) FROM build AS other WHERE "                               \
    "other.project_id = build.project_id AND other.id <> build.id AND "                                                \
    "other.state IN ('running', 'checking', 'publishing')) AS blocker, build.wait_reason "                             \
    "FROM job JOIN build ON build.id = build_id JOIN project ON project.id = build.project_id "                        \
    "JOIN namespace ON namespace.id = project.namespace_id JOIN target ON target.id = target_id "                      \
    "LEFT JOIN busy ON busy.namespace_id = namespace.id "                                                              \
    "WHERE job.state = 'queued' AND build.state IN ('waiting', 'running') "                                            \
    "ORDER BY blocker IS NOT NULL, build.priority DESC, coalesce(busy.n, 0), namespace.served, "                       \
    "build.created, build.id, job.id"

void queue_entry_free(QueueEntry *entry) {
    if (!entry)
        return;
    g_free(entry->namespace_name);
    g_free(entry->project_name);
    g_free(entry->target_name);
    g_free(entry->wait_reason);
    g_free(entry->build_wait_reason);
    g_free(entry);
}

static gpointer read_entry(const DatabaseRows *rows) {
    QueueEntry *entry = g_new0(QueueEntry, 1);

    entry->job_id = database_rows_integer(rows, 0);
    entry->build_id = database_rows_integer(rows, 1);
    entry->build_number = database_rows_integer(rows, 2);
    entry->priority = database_rows_integer(rows, 3);
    entry->created = database_rows_integer(rows, 4);
    entry->namespace_name = database_rows_dup(rows, 5);
    entry->project_name = database_rows_dup(rows, 6);
    entry->target_name = database_rows_dup(rows, 7);
    entry->wait_reason = database_rows_dup(rows, 8);
    entry->blocker = database_rows_integer(rows, 9);
    entry->build_wait_reason = database_rows_dup(rows, 10);
    return entry;
}

GPtrArray *queue_list(Model *model, GError **error) {
    return model_rows(model, QUEUE, DB_NONE, read_entry, (GDestroyNotify) queue_entry_free, error);
}

gint64 queue_count_active(Model *model, GError **error) {
    g_autoptr(GError) failure = NULL;
    gint64 n = database_integer(
            model_database(model), "SELECT count(*) FROM job WHERE state IN " ACTIVE, DB_NONE, 0, &failure);

    return model_check(failure, error) ? n : -1;
}

gint64 queue_next(Model *model, const QueueState *state, GError **error) {
    g_autoptr(GPtrArray) first = NULL;
    gint64 active = queue_count_active(model, error);
    const QueueEntry *entry = NULL;

    if (active < 0 || active >= state->slots || state->stopped)
        return 0;
    first = model_rows(model, QUEUE " LIMIT 1", DB_NONE, read_entry, (GDestroyNotify) queue_entry_free, error);
    if (!first || first->len == 0)
        return 0;
    entry = first->pdata[0];
    return entry->blocker == 0 ? entry->job_id : 0;
}

/* Why ENTRY waits, behind POSITION others; owned by the caller. NULL: it is about to start. */
static char *explain(const QueueEntry *entry, const QueueState *state, gint64 active, guint position) {
    g_autofree char *slots = NULL;

    if (state->stopped)
        return g_strdup(state->stopped);
    if (entry->blocker != 0)
        return g_strdup_printf(
                "Build #%" G_GINT64_FORMAT " of this project is at work; one follows the other", entry->blocker);
    if (active < state->slots)
        return NULL;
    slots = state->slots == 1 ? g_strdup("The only slot is") : g_strdup_printf("All %u slots are", state->slots);
    if (position == 0)
        return g_strdup_printf("%s at work; this is the next job", slots);
    return g_strdup_printf("%s at work; %u more %s first", slots, position, position == 1 ? "job goes" : "jobs go");
}

/* A build waits for the first of its jobs. */
static gboolean write_reason(
        Model *model, const QueueEntry *entry, gboolean first, const char *reason, GError **error) {
    Database *database = model_database(model);

    if (g_strcmp0(reason, entry->wait_reason) != 0 &&
            !database_run(database, "UPDATE job SET wait_reason = ? WHERE id = ?",
                    DB_VALUES(DB_TEXT(reason), DB_INT(entry->job_id)), error))
        return FALSE;
    return !first || g_strcmp0(reason, entry->build_wait_reason) == 0 ||
           database_run(database, "UPDATE build SET wait_reason = ? WHERE id = ? AND state = 'waiting'",
                   DB_VALUES(DB_TEXT(reason), DB_INT(entry->build_id)), error);
}

gboolean queue_explain(Model *model, const QueueState *state, GError **error) {
    g_autoptr(GPtrArray) queue = queue_list(model, error);
    g_autoptr(DatabaseTransaction) transaction = NULL;
    gint64 active = queue ? queue_count_active(model, error) : -1, last = 0;

    if (active < 0)
        return FALSE;
    if (queue->len == 0)
        return TRUE;
    transaction = database_begin(model_database(model), error);
    if (!transaction)
        return FALSE;
    for (guint i = 0; i < queue->len; i++) {
        const QueueEntry *entry = queue->pdata[i];
        g_autofree char *reason = explain(entry, state, active, i);

        gboolean is_first = entry->build_id != last;

        last = entry->build_id;
        if (!write_reason(model, entry, is_first, reason, error))
            return FALSE;
    }
    return database_commit(transaction, error);
}
