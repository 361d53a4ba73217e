/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/results/statuses.h"

/* Commits older than that are nobody's news. */
#define NEWS (24 * G_GINT64_CONSTANT(3600000))

/* What happened to the service rather than to the recipe is an error, not a failure. */
#define STATE                                                                                                          \
    "CASE WHEN b.state IN ('published', 'skipped') THEN 'success' "                                                    \
    "WHEN b.state IN ('superseded', 'cancelled') THEN 'cancelled' "                                                    \
    "WHEN b.state = 'failed' AND b.failure IN ('timeout', 'lost', 'publish') THEN 'error' "                            \
    "WHEN b.state = 'failed' THEN 'failure' ELSE 'pending' END"

void commit_status_free(CommitStatus *status) {
    if (!status)
        return;
    g_free(status->forge);
    g_free(status->repository);
    g_free(status->commit);
    g_free(status->space);
    g_free(status->project);
    g_free(status->state);
    g_free(status->description);
    g_free(status);
}

/* The words of a state that says little by itself. */
static char *describe(const char *state, const char *version, const char *detail) {
    if (detail)
        return g_strdup(detail);
    if (g_str_equal(state, "published"))
        return g_strdup_printf("Version %s is published", version);
    if (g_str_equal(state, "superseded"))
        return g_strdup("A newer commit took its place");
    if (g_str_equal(state, "skipped"))
        return g_strdup("Nothing changed");
    return g_strdup_printf("It is %s", state);
}

static gpointer read_status(const DatabaseRows *rows) {
    CommitStatus *status = g_new0(CommitStatus, 1);

    status->build_id = database_rows_integer(rows, 0);
    status->project_id = database_rows_integer(rows, 1);
    status->forge = database_rows_dup(rows, 2);
    status->repository = database_rows_dup(rows, 3);
    status->commit = database_rows_dup(rows, 4);
    status->space = database_rows_dup(rows, 5);
    status->project = database_rows_dup(rows, 6);
    status->number = database_rows_integer(rows, 7);
    status->state = database_rows_dup(rows, 8);
    status->description =
            describe(database_rows_text(rows, 9), database_rows_text(rows, 10), database_rows_text(rows, 11));
    return status;
}

GPtrArray *commit_status_list(Model *model, guint limit, GError **error) {
    return model_rows(model,
            "SELECT b.id, p.id, c.name, p.url, b.commit_id, n.name, p.name, b.number, " STATE
            ", b.state, b.version, b.detail FROM build b JOIN project p ON p.id = b.project_id "
            "JOIN namespace n ON n.id = p.namespace_id JOIN credential c ON c.project_id = p.id AND c.kind = 'forge' "
            "WHERE b.created > ? AND b.commit_id IS NOT NULL AND coalesce(b.told, '') <> " STATE
            " ORDER BY b.id LIMIT ?",
            DB_VALUES(DB_INT(model_now(model) - NEWS), DB_INT(limit)), read_status, (GDestroyNotify) commit_status_free,
            error);
}

gboolean commit_status_note(Model *model, gint64 build_id, const char *state, GError **error) {
    return database_run(model_database(model), "UPDATE build SET told = ? WHERE id = ?",
            DB_VALUES(DB_TEXT(state), DB_INT(build_id)), error);
}
