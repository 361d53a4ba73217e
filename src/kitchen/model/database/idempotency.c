/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/database/idempotency.h"

char *idempotency_find(Database *database, gint64 user_id, const char *key, const char *request, gint64 now,
        guint *ret_status, GError **error) {
    g_autoptr(DatabaseRows) rows = database_select(database,
            "SELECT request, status, answer FROM idempotency WHERE user_id = ? AND key = ? AND created > ?",
            DB_VALUES(DB_INT(user_id), DB_TEXT(key), DB_INT(now - IDEMPOTENCY_LIFETIME)), error);

    if (!rows || !database_rows_next(rows, error))
        return NULL;
    if (g_strcmp0(database_rows_text(rows, 0), request) != 0) {
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_CONFLICT,
                "The Idempotency-Key came with another request before: use a new one for each request");
        return NULL;
    }
    *ret_status = (guint) database_rows_integer(rows, 1);
    return database_rows_dup(rows, 2);
}

gboolean idempotency_keep(Database *database, gint64 user_id, const char *key, const char *request, guint status,
        const char *answer, gint64 now, GError **error) {
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);

    return transaction &&
           database_run(database, "DELETE FROM idempotency WHERE created <= ?",
                   DB_VALUES(DB_INT(now - IDEMPOTENCY_LIFETIME)), error) &&
           database_run(database,
                   "INSERT INTO idempotency (user_id, key, request, status, answer, created) "
                   "VALUES (?, ?, ?, ?, ?, ?)",
                   DB_VALUES(DB_INT(user_id), DB_TEXT(key), DB_TEXT(request), DB_INT(status), DB_TEXT(answer),
                           DB_INT(now)),
                   error) &&
           database_commit(transaction, error);
}
