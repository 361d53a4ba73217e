/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/people/members.h"

#include "kitchen/model/database/name.h"

static const char *const role_names[] = {NULL, "reader", "maintainer", "owner"};

const char *role_name(Role role) {
    return role_names[role];
}

Role role_by_name(const char *name) {
    for (Role role = ROLE_READER; role <= ROLE_OWNER; role++)
        if (g_strcmp0(name, role_names[role]) == 0)
            return role;
    return ROLE_NONE;
}

void member_free(Member *member) {
    g_free(member->name);
    g_free(member);
}

gboolean namespace_add_owned(
        Database *database, const char *name, gint64 owner_id, gint64 now, gint64 *ret_id, GError **error) {
    g_autoptr(DatabaseTransaction) transaction = NULL;
    g_autoptr(GError) failure = NULL;

    if (!name_check_namespace(name, error) || !(transaction = database_begin(database, error)))
        return FALSE;
    if (!database_run_full(database, "INSERT INTO namespace (name, created) VALUES (?, ?)",
                DB_VALUES(DB_TEXT(name), DB_INT(now)), ret_id, NULL, &failure)) {
        if (g_error_matches(failure, DATABASE_ERROR, DATABASE_ERROR_CONFLICT))
            g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_CONFLICT,
                    "The namespace %s is taken: choose another name", name);
        else
            g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    return database_run(database, "INSERT INTO member (namespace_id, user_id, role) VALUES (?, ?, 'owner')",
                   DB_VALUES(DB_INT(*ret_id), DB_INT(owner_id)), error) &&
           database_commit(transaction, error);
}

gint64 namespace_id_of(Database *database, const char *name, GError **error) {
    return database_integer(database, "SELECT id FROM namespace WHERE name = ?", DB_VALUES(DB_TEXT(name)), 0, error);
}

Role member_role(Database *database, gint64 namespace_id, gint64 user_id, GError **error) {
    g_autoptr(DatabaseRows) rows = NULL;

    if (user_id == 0)
        return ROLE_NONE;
    rows = database_select(database, "SELECT role FROM member WHERE namespace_id = ? AND user_id = ?",
            DB_VALUES(DB_INT(namespace_id), DB_INT(user_id)), error);
    if (!rows || !database_rows_next(rows, error))
        return ROLE_NONE;
    return role_by_name(database_rows_text(rows, 0));
}

static gboolean owner_remains(Database *database, gint64 namespace_id, GError **error) {
    g_autoptr(GError) failure = NULL;
    gint64 owners = database_integer(database, "SELECT count(*) FROM member WHERE namespace_id = ? AND role = 'owner'",
            DB_VALUES(DB_INT(namespace_id)), 0, &failure);

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (owners > 0)
        return TRUE;
    g_set_error(
            error, DATABASE_ERROR, DATABASE_ERROR_CONFLICT, "A namespace needs an owner: make somebody else one first");
    return FALSE;
}

gboolean member_set_role(Database *database, gint64 namespace_id, gint64 user_id, Role role, GError **error) {
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);

    return transaction &&
           database_run(database, "DELETE FROM member WHERE namespace_id = ? AND user_id = ?",
                   DB_VALUES(DB_INT(namespace_id), DB_INT(user_id)), error) &&
           (role == ROLE_NONE ||
                   database_run(database, "INSERT INTO member (namespace_id, user_id, role) VALUES (?, ?, ?)",
                           DB_VALUES(DB_INT(namespace_id), DB_INT(user_id), DB_TEXT(role_name(role))), error)) &&
           owner_remains(database, namespace_id, error) && database_commit(transaction, error);
}

static gpointer row_member(const DatabaseRows *rows) {
    Member *member = g_new0(Member, 1);

    member->user_id = database_rows_integer(rows, 0);
    member->name = database_rows_dup(rows, 1);
    member->role = role_by_name(database_rows_text(rows, 2));
    return member;
}

GPtrArray *member_list(Database *database, gint64 namespace_id, GError **error) {
    return database_list(database,
            "SELECT u.id, u.name, m.role FROM member m JOIN user u ON u.id = m.user_id "
            "WHERE m.namespace_id = ? ORDER BY u.name",
            DB_VALUES(DB_INT(namespace_id)), row_member, (GDestroyNotify) member_free, error);
}

GPtrArray *member_namespaces(Database *database, gint64 user_id, Role role, GError **error) {
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) members = database_list(database,
            "SELECT m.user_id, n.name, m.role FROM member m JOIN namespace n ON n.id = m.namespace_id "
            "WHERE m.user_id = ? ORDER BY n.name",
            DB_VALUES(DB_INT(user_id)), row_member, (GDestroyNotify) member_free, error);

    if (!members)
        return NULL;
    for (guint i = 0; i < members->len; i++) {
        Member *member = members->pdata[i];

        if (member->role >= role)
            g_ptr_array_add(names, g_steal_pointer(&member->name));
    }
    return g_steal_pointer(&names);
}
