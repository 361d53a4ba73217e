/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/projects/credential.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define NAME_MAX_SIZE 255
#define SECRET_MAX_SIZE (16 * 1024)

/* Sealed for this place: moved to the row of another project it does not open. */
static char *place(gint64 project_id, const char *kind, const char *name) {
    return g_strdup_printf("credential/%" G_GINT64_FORMAT "/%s/%s", project_id, kind, name);
}

void credential_free(Credential *credential) {
    g_free(credential->kind);
    g_free(credential->name);
    g_free(credential);
}

static gboolean invalid(GError **error, const char *what) {
    g_set_error_literal(error, MODEL_ERROR, MODEL_ERROR_INVALID, what);
    return FALSE;
}

/* Names stand in pages and messages. */
static gboolean is_name(const char *name) {
    for (const guint8 *at = (const guint8 *) name; *at; at++)
        if (*at < 0x20 || *at == 0x7f)
            return FALSE;
    return *name && *name != '-' && strlen(name) <= NAME_MAX_SIZE;
}

gboolean credential_check(const char *kind, const char *name, const char *secret, GError **error) {
    static const char *const kinds[] = {"forge", "git-password", "git-key", "git-host", NULL};
    static const char *const forges[] = {"github", "gitlab", "gitea", "forgejo", NULL};

    if (!g_strv_contains(kinds, kind) || !is_name(name) || !*secret || strlen(secret) > SECRET_MAX_SIZE)
        return invalid(
                error, "A credential needs a kind (forge, git-password, git-key, git-host), a name and a secret.");
    if (strcmp(kind, "forge") == 0 && !g_strv_contains(forges, name))
        return invalid(
                error, "The name of a forge's token says which kind of forge it is: github, gitlab, gitea or forgejo.");
    if (strcmp(kind, "git-key") == 0 && !strstr(secret, "PRIVATE KEY-----"))
        return invalid(error, "A key for git is the private one, with its lines \"-----BEGIN ... PRIVATE KEY-----\".");
    if (strcmp(kind, "git-host") == 0 && (strstr(secret, "PRIVATE KEY") || !strstr(secret, " AAAA")))
        return invalid(error, "The key of a host is the public one, like \"ssh-ed25519 AAAA...\".");
    return TRUE;
}

gboolean credential_set(Database *database, const SecretBox *box, gint64 project_id, const char *kind, const char *name,
        const char *secret, gint64 now, gint64 *ret_id, GError **error) {
    g_autofree char *where = place(project_id, kind, name);
    g_autoptr(GBytes) sealed = secret_box_seal(box, where, secret, error);
    g_autoptr(GError) failure = NULL;
    gint64 id = 0;

    if (!sealed ||
            !database_run(database,
                    "INSERT INTO credential (project_id, kind, name, secret, created) VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT (project_id, kind, name) DO UPDATE SET secret = excluded.secret, "
                    "created = excluded.created",
                    DB_VALUES(DB_INT(project_id), DB_TEXT(kind), DB_TEXT(name), DB_BYTES(sealed), DB_INT(now)), error))
        return FALSE;
    id = database_integer(database, "SELECT id FROM credential WHERE project_id = ? AND kind = ? AND name = ?",
            DB_VALUES(DB_INT(project_id), DB_TEXT(kind), DB_TEXT(name)), 0, &failure);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (ret_id)
        *ret_id = id;
    return TRUE;
}

char *credential_secret(Database *database, const SecretBox *box, gint64 project_id, const char *kind, const char *name,
        GError **error) {
    g_autofree char *where = place(project_id, kind, name);
    g_autoptr(GBytes) sealed = NULL;
    g_autoptr(DatabaseRows) rows =
            database_select(database, "SELECT secret FROM credential WHERE project_id = ? AND kind = ? AND name = ?",
                    DB_VALUES(DB_INT(project_id), DB_TEXT(kind), DB_TEXT(name)), error);

    if (!rows || !database_rows_next(rows, error))
        return NULL;
    sealed = database_rows_bytes(rows, 0);
    return secret_box_open_sealed(box, where, sealed, error);
}

GPtrArray *credential_list(Database *database, gint64 project_id, GError **error) {
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify) credential_free);
    g_autoptr(GError) failure = NULL;
    g_autoptr(DatabaseRows) rows = database_select(database,
            "SELECT id, kind, name, created FROM credential WHERE project_id = ? ORDER BY kind, name",
            DB_VALUES(DB_INT(project_id)), error);

    if (!rows)
        return NULL;
    while (database_rows_next(rows, &failure)) {
        Credential *credential = g_new0(Credential, 1);
        credential->id = database_rows_integer(rows, 0);
        credential->kind = database_rows_dup(rows, 1);
        credential->name = database_rows_dup(rows, 2);
        credential->created = database_rows_integer(rows, 3);
        g_ptr_array_add(list, credential);
    }
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    return g_steal_pointer(&list);
}

static gboolean add_secret(Database *database, const SecretBox *box, gint64 project_id, const Credential *credential,
        JsonBuilder *builder, GError **error) {
    char *secret = credential_secret(database, box, project_id, credential->kind, credential->name, error);

    if (!secret)
        return FALSE;
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "kind");
    json_builder_add_string_value(builder, credential->kind);
    json_builder_set_member_name(builder, "name");
    json_builder_add_string_value(builder, credential->name);
    json_builder_set_member_name(builder, "secret");
    json_builder_add_string_value(builder, secret);
    json_builder_end_object(builder);
    secret_wipe(secret);
    return TRUE;
}

char *credential_git_secrets(Database *database, const SecretBox *box, gint64 project_id, GError **error) {
    g_autoptr(GPtrArray) credentials = credential_list(database, project_id, error);
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(JsonNode) root = NULL;
    guint n = 0;

    if (!credentials)
        return NULL;
    json_builder_begin_array(builder);
    for (guint i = 0; i < credentials->len; i++) {
        const Credential *credential = credentials->pdata[i];

        if (!g_str_has_prefix(credential->kind, "git-"))
            continue;
        if (!add_secret(database, box, project_id, credential, builder, error))
            return NULL;
        n++;
    }
    json_builder_end_array(builder);
    root = json_builder_get_root(builder);
    return n > 0 ? json_to_string(root, FALSE) : NULL;
}

gboolean credential_remove(Database *database, gint64 project_id, gint64 id, GError **error) {
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);

    return transaction &&
           database_run(database,
                   "DELETE FROM delivery WHERE hook_id IN (SELECT id FROM hook WHERE credential_id = ? AND "
                   "project_id = ?)",
                   DB_VALUES(DB_INT(id), DB_INT(project_id)), error) &&
           database_run(database, "DELETE FROM hook WHERE credential_id = ? AND project_id = ?",
                   DB_VALUES(DB_INT(id), DB_INT(project_id)), error) &&
           database_run(database, "DELETE FROM credential WHERE id = ? AND project_id = ?",
                   DB_VALUES(DB_INT(id), DB_INT(project_id)), error) &&
           database_commit(transaction, error);
}
