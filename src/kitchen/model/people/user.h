/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* People with an account, and how they come in. Times are milliseconds since 1970. */

#include "kitchen/model/database/database.h"

typedef struct {
    gint64 id;
    char *name;
    gboolean admin;
    gboolean disabled;
    gint64 created;
} User;
void user_free(User *user);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(User, user_free)

/* Adds a user without a password; RET_ID receives the identifier. Each user gets a namespace of the same name, and
 * owns it. */
gboolean user_add(Database *database, const char *name, gboolean admin, gint64 now, gint64 *ret_id,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* NULL without an error: there is none. Owned by the caller. */
User *user_by_id(Database *database, gint64 id, GError **error);
User *user_by_name(Database *database, const char *name, GError **error);

/* All users (User), by name. */
GPtrArray *user_list(Database *database, GError **error);

/* Sets the password, and ends all sessions of the user. */
gboolean user_set_password(
        Database *database, gint64 id, const char *password, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Shuts an account, or opens it again. Sessions end; tokens count for nothing while it is shut. */
gboolean user_set_disabled(Database *database, gint64 id, gboolean disabled, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The user whose name and password these are. NULL without an error: they are nobody's, or the account is
 * shut; the time that takes says nothing. */
User *user_by_password(Database *database, const char *name, const char *password, GError **error);

/* A link that lets the user in once, within LIFETIME milliseconds: the secret of its address. Owned by the
 * caller. */
char *login_link_make(Database *database, gint64 user_id, gint64 now, gint64 lifetime, GError **error);

/* The user whom SECRET lets in, 0 for none. The link is used up. */
gint64 login_link_use(Database *database, const char *secret, gint64 now, GError **error);
