/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/people/token.h"

#include "kitchen/model/database/secret.h"

/* People and scanners of secrets recognise it. */
#define PREFIX "kitchen_"
#define USE_NOTED (G_GINT64_CONSTANT(60000))

#define TOKEN_COLUMNS                                                                                                  \
    "SELECT t.id, t.user_id, t.name, t.scopes, t.namespace_id, t.project_id, t.created, t.expires, t.used, "           \
    "t.revoked FROM token t JOIN user u ON u.id = t.user_id "

static const char *const scope_names[] = {NULL, "read", "build", "admin"};

const char *scope_name(Scope scope) {
    return scope_names[scope];
}

Scope scope_by_name(const char *name) {
    for (Scope scope = SCOPE_READ; scope <= SCOPE_ADMIN; scope++)
        if (g_strcmp0(name, scope_names[scope]) == 0)
            return scope;
    return SCOPE_NONE;
}

void token_free(Token *token) {
    if (!token)
        return;
    g_free(token->name);
    g_free(token);
}

char *token_make(Database *database, const Token *wanted, gint64 now, GError **error) {
    g_autofree char *secret = secret_make(PREFIX);
    g_autofree char *hash = secret_hash(secret);

    g_assert(wanted->scope != SCOPE_NONE);
    if (!database_run(database,
                "INSERT INTO token (user_id, name, hash, scopes, namespace_id, project_id, created, expires) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                DB_VALUES(DB_INT(wanted->user_id), DB_TEXT(wanted->name), DB_TEXT(hash),
                        DB_TEXT(scope_name(wanted->scope)), DB_ID(wanted->namespace_id), DB_ID(wanted->project_id),
                        DB_INT(now), DB_INT(wanted->expires)),
                error))
        return NULL;
    return g_steal_pointer(&secret);
}

static gpointer row_token(const DatabaseRows *rows) {
    Token *token = g_new0(Token, 1);

    token->id = database_rows_integer(rows, 0);
    token->user_id = database_rows_integer(rows, 1);
    token->name = database_rows_dup(rows, 2);
    token->scope = scope_by_name(database_rows_text(rows, 3));
    token->namespace_id = database_rows_integer(rows, 4);
    token->project_id = database_rows_integer(rows, 5);
    token->created = database_rows_integer(rows, 6);
    token->expires = database_rows_integer(rows, 7);
    token->used = database_rows_integer(rows, 8);
    token->revoked = database_rows_integer(rows, 9);
    return token;
}

Token *token_find(Database *database, const char *secret, gint64 now, GError **error) {
    g_autofree char *hash = secret_hash(secret);
    g_autoptr(Token) token = database_first(database,
            TOKEN_COLUMNS "WHERE t.hash = ? AND t.expires > ? AND t.revoked IS NULL AND u.disabled = 0",
            DB_VALUES(DB_TEXT(hash), DB_INT(now)), row_token, error);

    if (!token)
        return NULL;
    if (token->used < now - USE_NOTED && !database_run(database, "UPDATE token SET used = ? WHERE id = ?",
                                                 DB_VALUES(DB_INT(now), DB_INT(token->id)), error))
        return NULL;
    return g_steal_pointer(&token);
}

GPtrArray *token_list(Database *database, gint64 user_id, GError **error) {
    return database_list(database, TOKEN_COLUMNS "WHERE t.user_id = ? ORDER BY t.id DESC", DB_VALUES(DB_INT(user_id)),
            row_token, (GDestroyNotify) token_free, error);
}

gboolean token_revoke(Database *database, gint64 user_id, gint64 id, gint64 now, GError **error) {
    return database_run(database, "UPDATE token SET revoked = ? WHERE id = ? AND user_id = ? AND revoked IS NULL",
            DB_VALUES(DB_INT(now), DB_INT(id), DB_INT(user_id)), error);
}
