/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/people/session.h"

#include "kitchen/model/database/secret.h"

/* How often the last use is written down, in milliseconds. */
#define USE_NOTED (G_GINT64_CONSTANT(3600000))

void session_clear(Session *session) {
    g_clear_pointer(&session->csrf, g_free);
}

char *session_start(Database *database, gint64 user_id, gint64 now, GError **error) {
    g_autofree char *secret = secret_make("");
    g_autofree char *hash = secret_hash(secret);
    g_autofree char *csrf = secret_make("");

    if (!database_run(database,
                "INSERT INTO session (hash, user_id, csrf, created, expires, used) VALUES (?, ?, ?, ?, ?, ?)",
                DB_VALUES(DB_TEXT(hash), DB_INT(user_id), DB_TEXT(csrf), DB_INT(now), DB_INT(now + SESSION_LIFETIME),
                        DB_INT(now)),
                error))
        return NULL;
    return g_steal_pointer(&secret);
}

gboolean session_find(Database *database, const char *secret, gint64 now, Session *ret_session, GError **error) {
    g_autofree char *hash = secret_hash(secret);
    gint64 used = 0;

    {
        g_autoptr(DatabaseRows) rows = database_select(database,
                "SELECT s.user_id, s.csrf, s.used FROM session s JOIN user u ON u.id = s.user_id "
                "WHERE s.hash = ? AND s.expires > ? AND s.used > ? AND u.disabled = 0",
                DB_VALUES(DB_TEXT(hash), DB_INT(now), DB_INT(now - SESSION_IDLE)), error);
        if (!rows || !database_rows_next(rows, error))
            return FALSE;
        ret_session->user_id = database_rows_integer(rows, 0);
        ret_session->csrf = database_rows_dup(rows, 1);
        used = database_rows_integer(rows, 2);
    }
    if (used < now - USE_NOTED && !database_run(database, "UPDATE session SET used = ? WHERE hash = ?",
                                          DB_VALUES(DB_INT(now), DB_TEXT(hash)), error)) {
        session_clear(ret_session);
        return FALSE;
    }
    return TRUE;
}

gboolean session_end(Database *database, const char *secret, GError **error) {
    g_autofree char *hash = secret_hash(secret);

    return database_run(database, "DELETE FROM session WHERE hash = ?", DB_VALUES(DB_TEXT(hash)), error);
}

gboolean session_sweep(Database *database, gint64 now, GError **error) {
    return database_run(database, "DELETE FROM session WHERE expires <= ? OR used <= ?",
            DB_VALUES(DB_INT(now), DB_INT(now - SESSION_IDLE)), error);
}
