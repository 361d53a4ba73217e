/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/projects/hook.h"

#include <string.h>

#include "kitchen/model/projects/credential.h"

#define HOOK_COLUMNS                                                                                                   \
    "SELECT h.id, h.project_id, h.kind, h.credential_id, h.created, p.branch FROM hook h "                             \
    "JOIN project p ON p.id = h.project_id "
#define KEPT 50
#define REPLAY_TIME (G_GINT64_CONSTANT(86400000))

void hook_free(Hook *hook) {
    if (!hook)
        return;
    g_free(hook->id);
    g_free(hook->kind);
    g_free(hook->branch);
    g_free(hook);
}

void delivery_free(Delivery *delivery) {
    g_free(delivery->delivery);
    g_free(delivery->body_digest);
    g_free(delivery->event);
    g_free(delivery->answer);
    g_free(delivery);
}

gboolean hook_add(Database *database, const SecretBox *box, gint64 project_id, const char *kind, const char *secret,
        gint64 now, char **ret_id, GError **error) {
    g_autofree char *random = secret_make("");
    g_autofree char *id = g_strndup(random, 22); /* 132 bits: nobody finds hooks by trying */
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);
    gint64 credential_id = 0;

    if (!transaction || !credential_set(database, box, project_id, "hook", id, secret, now, &credential_id, error) ||
            !database_run(database,
                    "INSERT INTO hook (id, project_id, kind, credential_id, created) VALUES (?, ?, ?, ?, ?)",
                    DB_VALUES(DB_TEXT(id), DB_INT(project_id), DB_TEXT(kind), DB_INT(credential_id), DB_INT(now)),
                    error) ||
            !database_commit(transaction, error))
        return FALSE;
    *ret_id = g_steal_pointer(&id);
    return TRUE;
}

static gpointer row_hook(const DatabaseRows *rows) {
    Hook *hook = g_new0(Hook, 1);

    hook->id = database_rows_dup(rows, 0);
    hook->project_id = database_rows_integer(rows, 1);
    hook->kind = database_rows_dup(rows, 2);
    hook->credential_id = database_rows_integer(rows, 3);
    hook->created = database_rows_integer(rows, 4);
    hook->branch = database_rows_dup(rows, 5);
    return hook;
}

Hook *hook_find(Database *database, const char *id, GError **error) {
    return database_first(database, HOOK_COLUMNS "WHERE h.id = ?", DB_VALUES(DB_TEXT(id)), row_hook, error);
}

GPtrArray *hook_list(Database *database, gint64 project_id, GError **error) {
    return database_list(database, HOOK_COLUMNS "WHERE h.project_id = ? ORDER BY h.created, h.id",
            DB_VALUES(DB_INT(project_id)), row_hook, (GDestroyNotify) hook_free, error);
}

gboolean delivery_add(Database *database, const char *hook_id, const Delivery *delivery, GError **error) {
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);

    return transaction &&
           database_run(database,
                   "INSERT INTO delivery (hook_id, delivery, body_digest, event, received, valid, status, "
                   "answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                   DB_VALUES(DB_TEXT(hook_id), DB_TEXT(delivery->delivery), DB_TEXT(delivery->body_digest),
                           DB_TEXT(delivery->event), DB_INT(delivery->received), DB_INT(delivery->valid),
                           DB_INT(delivery->status), DB_TEXT(delivery->answer)),
                   error) &&
           database_run(database,
                   "DELETE FROM delivery WHERE hook_id = ? AND (valid = 0 OR received < ?) AND id NOT IN "
                   "(SELECT id FROM delivery WHERE hook_id = ? ORDER BY received DESC, id DESC LIMIT ?)",
                   DB_VALUES(
                           DB_TEXT(hook_id), DB_INT(delivery->received - REPLAY_TIME), DB_TEXT(hook_id), DB_INT(KEPT)),
                   error) &&
           database_commit(transaction, error);
}

gint64 delivery_seen(Database *database, const char *hook_id, const char *delivery, const char *body_digest,
        gint64 since, GError **error) {
    return database_integer(database,
            "SELECT max(received) FROM delivery WHERE hook_id = ? AND received >= ? AND valid = 1 AND "
            "status < 400 AND (delivery = ? OR body_digest = ?)",
            DB_VALUES(DB_TEXT(hook_id), DB_INT(since), DB_TEXT(delivery), DB_TEXT(body_digest)), 0, error);
}

gint64 delivery_count(Database *database, const char *hook_id, gint64 since, GError **error) {
    return database_integer(database, "SELECT count(*) FROM delivery WHERE hook_id = ? AND received >= ?",
            DB_VALUES(DB_TEXT(hook_id), DB_INT(since)), 0, error);
}

static gpointer row_delivery(const DatabaseRows *rows) {
    Delivery *delivery = g_new0(Delivery, 1);

    delivery->id = database_rows_integer(rows, 0);
    delivery->delivery = database_rows_dup(rows, 1);
    delivery->body_digest = database_rows_dup(rows, 2);
    delivery->event = database_rows_dup(rows, 3);
    delivery->received = database_rows_integer(rows, 4);
    delivery->valid = database_rows_integer(rows, 5) != 0;
    delivery->status = (guint) database_rows_integer(rows, 6);
    delivery->answer = database_rows_dup(rows, 7);
    return delivery;
}

GPtrArray *delivery_list(Database *database, const char *hook_id, guint n, GError **error) {
    return database_list(database,
            "SELECT id, delivery, body_digest, event, received, valid, status, answer FROM delivery "
            "WHERE hook_id = ? ORDER BY received DESC, id DESC LIMIT ?",
            DB_VALUES(DB_TEXT(hook_id), DB_INT(n)), row_delivery, (GDestroyNotify) delivery_free, error);
}
