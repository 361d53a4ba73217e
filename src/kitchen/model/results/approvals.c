/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/results/approvals.h"

#include <string.h>

#include "kitchen/model/results/releases.h"

void approval_free(Approval *approval) {
    if (!approval)
        return;
    g_free(approval->user);
    g_free(approval->fingerprint);
    g_free(approval->statement);
    g_free(approval->signature);
    g_free(approval);
}

static gpointer read_approval(const DatabaseRows *rows) {
    Approval *approval = g_new0(Approval, 1);

    approval->user = database_rows_dup(rows, 0);
    approval->fingerprint = database_rows_dup(rows, 1);
    approval->statement = database_rows_dup(rows, 2);
    approval->signature = database_rows_dup(rows, 3);
    approval->created = database_rows_integer(rows, 4);
    return approval;
}

static gboolean check(Model *model, gint64 id, gint64 target, GError **error) {
    g_autoptr(Release) release = release_get(model, id, error);
    g_autoptr(GPtrArray) files = release ? release_files(model, id, target, error) : NULL;

    if (!files)
        return FALSE;
    if (files->len > 0 && strcmp(release->state, "withdrawn") != 0 && strcmp(release->state, "removed") != 0)
        return TRUE;
    g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE, "Version %s is %s, and needs no approval for that target",
            release->version, release->state);
    return FALSE;
}

gboolean approval_add(Model *model, gint64 release, gint64 target, gint64 user, const char *fingerprint,
        const char *statement, const char *signature, GError **error) {
    Database *database = model_database(model);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);
    g_autofree char *more = g_strdup_printf(": %s", fingerprint);

    return transaction && check(model, release, target, error) &&
           database_run(database,
                   "INSERT INTO approval (release_id, target_id, user_id, fingerprint, statement, signature, created) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (release_id, target_id, fingerprint) DO UPDATE SET "
                   "user_id = excluded.user_id, statement = excluded.statement, signature = excluded.signature, "
                   "created = excluded.created",
                   DB_VALUES(DB_INT(release), DB_INT(target), DB_ID(user), DB_TEXT(fingerprint), DB_TEXT(statement),
                           DB_TEXT(signature), DB_INT(model_now(model))),
                   error) &&
           database_run(database,
                   "UPDATE release SET state = 'publishing', detail = NULL WHERE id = ? AND state IN ('approval', 'failed')",
                   DB_VALUES(DB_INT(release)), error) &&
           release_note_event(model, release, "release.approved", more, user, error) &&
           database_commit(transaction, error);
}

GPtrArray *approval_list(Model *model, gint64 release, gint64 target, GError **error) {
    return model_rows(model,
            "SELECT user.name, fingerprint, statement, signature, approval.created FROM approval LEFT JOIN user ON user.id "
            "= user_id WHERE release_id = ? AND target_id = ? ORDER BY approval.id",
            DB_VALUES(DB_INT(release), DB_INT(target)), read_approval, (GDestroyNotify) approval_free, error);
}
