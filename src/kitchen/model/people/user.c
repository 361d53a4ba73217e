/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/people/user.h"

#include "kitchen/model/database/name.h"
#include "kitchen/model/people/members.h"
#include "kitchen/model/people/password.h"
#include "kitchen/model/database/secret.h"

#define USER_COLUMNS "SELECT id, name, admin, disabled, created FROM user "

void user_free(User *user) {
    if (!user)
        return;
    g_free(user->name);
    g_free(user);
}

gboolean user_add(Database *database, const char *name, gboolean admin, gint64 now, gint64 *ret_id, GError **error) {
    g_autoptr(DatabaseTransaction) transaction = NULL;
    g_autoptr(GError) failure = NULL;
    gint64 id = 0, namespace_id = 0;

    if (!name_check_namespace(name, error) || !(transaction = database_begin(database, error)))
        return FALSE;
    if (!database_run_full(database, "INSERT INTO user (name, admin, created) VALUES (?, ?, ?)",
                DB_VALUES(DB_TEXT(name), DB_INT(admin), DB_INT(now)), &id, NULL, &failure)) {
        if (g_error_matches(failure, DATABASE_ERROR, DATABASE_ERROR_CONFLICT))
            g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_CONFLICT, "There is a user %s already", name);
        else
            g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (!namespace_add_owned(database, name, id, now, &namespace_id, error) || !database_commit(transaction, error))
        return FALSE;
    *ret_id = id;
    return TRUE;
}

static gpointer row_user(const DatabaseRows *rows) {
    User *user = g_new0(User, 1);

    user->id = database_rows_integer(rows, 0);
    user->name = database_rows_dup(rows, 1);
    user->admin = database_rows_integer(rows, 2) != 0;
    user->disabled = database_rows_integer(rows, 3) != 0;
    user->created = database_rows_integer(rows, 4);
    return user;
}

User *user_by_id(Database *database, gint64 id, GError **error) {
    return database_first(database, USER_COLUMNS "WHERE id = ?", DB_VALUES(DB_INT(id)), row_user, error);
}

User *user_by_name(Database *database, const char *name, GError **error) {
    return database_first(database, USER_COLUMNS "WHERE name = ?", DB_VALUES(DB_TEXT(name)), row_user, error);
}

GPtrArray *user_list(Database *database, GError **error) {
    return database_list(database, USER_COLUMNS "ORDER BY name", DB_NONE, row_user, (GDestroyNotify) user_free, error);
}

gboolean user_set_password(Database *database, gint64 id, const char *password, GError **error) {
    g_autofree char *hash = password_hash(password, error);
    g_autoptr(DatabaseTransaction) transaction = NULL;

    return hash && (transaction = database_begin(database, error)) &&
           database_run(database, "UPDATE user SET password = ? WHERE id = ?", DB_VALUES(DB_TEXT(hash), DB_INT(id)),
                   error) &&
           database_run(database, "DELETE FROM session WHERE user_id = ?", DB_VALUES(DB_INT(id)), error) &&
           database_commit(transaction, error);
}

gboolean user_set_disabled(Database *database, gint64 id, gboolean disabled, GError **error) {
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);

    return transaction &&
           database_run(database, "UPDATE user SET disabled = ? WHERE id = ?", DB_VALUES(DB_INT(disabled), DB_INT(id)),
                   error) &&
           database_run(database, "DELETE FROM session WHERE user_id = ?", DB_VALUES(DB_INT(id)), error) &&
           database_run(database, "DELETE FROM login_link WHERE user_id = ?", DB_VALUES(DB_INT(id)), error) &&
           database_commit(transaction, error);
}

User *user_by_password(Database *database, const char *name, const char *password, GError **error) {
    g_autofree char *hash = NULL;
    g_autoptr(User) user = user_by_name(database, name, error);
    g_autoptr(GError) failure = NULL;
    gint64 id = user && !user->disabled ? user->id : 0;

    {
        g_autoptr(DatabaseRows) rows =
                database_select(database, "SELECT password FROM user WHERE id = ?", DB_VALUES(DB_INT(id)), error);
        if (!rows)
            return NULL;
        if (database_rows_next(rows, &failure))
            hash = database_rows_dup(rows, 0);
    }
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    return password_matches(hash, password) ? g_steal_pointer(&user) : NULL;
}

char *login_link_make(Database *database, gint64 user_id, gint64 now, gint64 lifetime, GError **error) {
    g_autofree char *secret = secret_make("");
    g_autofree char *hash = secret_hash(secret);

    if (!database_run(database, "INSERT INTO login_link (hash, user_id, expires) VALUES (?, ?, ?)",
                DB_VALUES(DB_TEXT(hash), DB_INT(user_id), DB_INT(now + lifetime)), error))
        return NULL;
    return g_steal_pointer(&secret);
}

gint64 login_link_use(Database *database, const char *secret, gint64 now, GError **error) {
    g_autofree char *hash = secret_hash(secret);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);
    gint64 user_id = 0;

    if (!transaction)
        return 0;
    user_id = database_integer(database,
            "SELECT l.user_id FROM login_link l JOIN user u ON u.id = l.user_id "
            "WHERE l.hash = ? AND l.expires > ? AND u.disabled = 0",
            DB_VALUES(DB_TEXT(hash), DB_INT(now)), 0, error);
    if (!database_run(database, "DELETE FROM login_link WHERE hash = ? OR expires <= ?",
                DB_VALUES(DB_TEXT(hash), DB_INT(now)), error) ||
            !database_commit(transaction, error))
        return 0;
    return user_id;
}
