/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* API tokens: of a user, for some things, for a while. */

#include "kitchen/model/database/database.h"

/* What a token is good for; a higher one includes the lower ones. Never more than its user may do. */
typedef enum {
    SCOPE_NONE,
    SCOPE_READ,
    SCOPE_BUILD,
    SCOPE_ADMIN,
} Scope;

/* "read". */
const char *scope_name(Scope scope);
/* SCOPE_NONE when NAME is none. */
Scope scope_by_name(const char *name);

typedef struct {
    gint64 id, user_id;
    char *name;
    Scope scope;
    gint64 namespace_id, project_id; /* only this one; 0: all of the user's */
    gint64 created, expires, used, revoked;
} Token;
void token_free(Token *token);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Token, token_free)

/* Makes a token like WANTED (without id, created, used and revoked): its text, which is not kept and so cannot be
 * shown again. Owned by the caller. */
char *token_make(Database *database, const Token *wanted, gint64 now, GError **error);

/* The token with the text SECRET, if it counts: not expired, not revoked, of somebody whose account is open. NULL
 * without an error: there is none. */
Token *token_find(Database *database, const char *secret, gint64 now, GError **error);

/* The tokens (Token) of the user, newest first. */
GPtrArray *token_list(Database *database, gint64 user_id, GError **error);

/* The user's token ID counts no longer. */
gboolean token_revoke(
        Database *database, gint64 user_id, gint64 id, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
