/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Namespaces, and who may do what in them. */

#include "kitchen/model/database/database.h"

/* Higher ones may do what lower ones may. */
typedef enum {
    ROLE_NONE,
    ROLE_READER,     /* sees private projects */
    ROLE_MAINTAINER, /* builds, cancels, edits projects */
    ROLE_OWNER,      /* members, credentials, tokens of others */
} Role;

/* "reader"; NULL for ROLE_NONE. */
const char *role_name(Role role);
/* ROLE_NONE when NAME is none. */
Role role_by_name(const char *name);

typedef struct {
    gint64 user_id;
    char *name;
    Role role;
} Member;
void member_free(Member *member);

/* Adds a namespace that the user OWNER_ID owns. */
gboolean namespace_add_owned(Database *database, const char *name, gint64 owner_id, gint64 now, gint64 *ret_id,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The identifier of the namespace NAME; 0 without an error: there is none. */
gint64 namespace_id_of(Database *database, const char *name, GError **error);

/* What the user may do in the namespace. */
Role member_role(Database *database, gint64 namespace_id, gint64 user_id, GError **error);

/* Gives the user a role, or takes it away (ROLE_NONE). The last owner stays one. */
gboolean member_set_role(
        Database *database, gint64 namespace_id, gint64 user_id, Role role, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The members (Member) of the namespace, by name. Owned by the caller. */
GPtrArray *member_list(Database *database, gint64 namespace_id, GError **error);

/* The names of the namespaces where the user has ROLE at least, sorted. Owned by the caller. */
GPtrArray *member_namespaces(Database *database, gint64 user_id, Role role, GError **error);
