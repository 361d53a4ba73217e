/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kitchen/model/database/idempotency.h"
#include "kitchen/model/database/name.h"
#include "kitchen/model/people/members.h"
#include "kitchen/model/people/password.h"
#include "kitchen/model/people/session.h"
#include "kitchen/model/people/token.h"
#include "kitchen/model/people/user.h"
#include "kitchen/model/projects/credential.h"
#include "kitchen/model/projects/hook.h"

#define NOW G_GINT64_CONSTANT(1800000000000)

static Database *open_memory(void) {
    g_autoptr(GError) error = NULL;
    Database *database = database_open(":memory:", &error);

    g_assert_no_error(error);
    return database;
}

static gint64 add_user(Database *database, const char *name) {
    g_autoptr(GError) error = NULL;
    gint64 id = 0;

    g_assert_true(user_add(database, name, FALSE, NOW, &id, &error));
    g_assert_no_error(error);
    return id;
}

static gint64 add_project(Database *database, const char *space, const char *name) {
    gint64 id = 0;

    g_assert_true(database_run_full(database,
            "INSERT INTO project (namespace_id, name, url, branch, created) VALUES (?, ?, 'u', 'main', 1)",
            DB_VALUES(DB_INT(namespace_id_of(database, space, NULL)), DB_TEXT(name)), &id, NULL, NULL));
    return id;
}

static void test_names(void) {
    static const char *const good[] = {"a", "ada", "a-b-2", "0"};
    static const char *const bad[] = {
            "", "-a", "a-", "A", "a_b", "a.b", "a/b", "..", "é", "a b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(name_check("user", good[i], NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(name_check("user", bad[i], NULL));
    g_assert_false(name_check_namespace("api", NULL));
    g_assert_true(name_check_namespace("ada", NULL));
}

static void test_passwords(void) {
    g_autofree char *hash = password_hash("correct horse", NULL);
    g_autofree char *again = password_hash("correct horse", NULL);
    g_autofree char *long_one = g_strnfill(PASSWORD_MAX + 1, 'x');
    g_autoptr(GError) error = NULL;

    g_assert_true(g_str_has_prefix(hash, "$y$"));
    g_assert_cmpstr(hash, !=, again);
    g_assert_true(password_matches(hash, "correct horse"));
    g_assert_false(password_matches(hash, "correct horsf"));
    g_assert_false(password_matches(hash, ""));
    g_assert_false(password_matches(NULL, "correct horse"));
    g_assert_false(password_matches("*", "correct horse"));
    g_assert_false(password_matches(hash, long_one));
    g_assert_null(password_hash("short", &error));
    g_assert_nonnull(error);
    g_assert_null(password_hash(long_one, NULL));
}

static void test_users(void) {
    g_autoptr(Database) database = open_memory();
    g_autoptr(GError) error = NULL;
    gint64 ada = add_user(database, "ada"), id = 0;
    g_autoptr(User) user = NULL;
    g_autofree char *link = NULL;
    g_autofree char *late = NULL;

    g_assert_false(user_add(database, "ada", FALSE, NOW, &id, &error));
    g_assert_error(error, DATABASE_ERROR, DATABASE_ERROR_CONFLICT);
    g_assert_true(user_set_password(database, ada, "correct horse", NULL));
    user = user_by_password(database, "ada", "correct horse", NULL);
    g_assert_cmpint(user->id, ==, ada);
    g_assert_null(user_by_password(database, "ada", "wrong horse", NULL));
    g_assert_null(user_by_password(database, "eve", "correct horse", NULL));
    link = login_link_make(database, ada, NOW, 1000, NULL);
    late = login_link_make(database, ada, NOW, 1000, NULL);
    g_assert_cmpint(login_link_use(database, link, NOW, NULL), ==, ada);
    g_assert_cmpint(login_link_use(database, link, NOW, NULL), ==, 0);
    g_assert_cmpint(login_link_use(database, late, NOW + 1000, NULL), ==, 0);
    g_assert_cmpint(login_link_use(database, "x", NOW, NULL), ==, 0);
    g_assert_true(user_set_disabled(database, ada, TRUE, NULL));
    g_assert_null(user_by_password(database, "ada", "correct horse", NULL));
}

static void test_sessions(void) {
    g_autoptr(Database) database = open_memory();
    gint64 ada = add_user(database, "ada");
    g_autofree char *secret = session_start(database, ada, NOW, NULL);
    g_auto(Session) session = {0};
    Session none = {0};

    g_assert_true(session_find(database, secret, NOW + 1, &session, NULL));
    g_assert_cmpint(session.user_id, ==, ada);
    g_assert_false(session_find(database, "other", NOW + 1, &none, NULL));
    g_assert_false(session_find(database, secret, NOW + SESSION_IDLE, &none, NULL));
    for (gint64 time = NOW; time < NOW + SESSION_LIFETIME; time += SESSION_IDLE / 2) {
        g_auto(Session) used = {0};
        g_assert_true(session_find(database, secret, time, &used, NULL));
    }
    g_assert_false(session_find(database, secret, NOW + SESSION_LIFETIME, &none, NULL));
    g_assert_true(session_end(database, secret, NULL));
    g_assert_false(session_find(database, secret, NOW + 1, &none, NULL));
}

static void test_roles(void) {
    g_autoptr(Database) database = open_memory();
    g_autoptr(GError) error = NULL;
    gint64 ada = add_user(database, "ada"), eve = add_user(database, "eve");
    gint64 space = namespace_id_of(database, "ada", NULL);
    g_autoptr(GPtrArray) names = NULL;

    g_assert_cmpint(member_role(database, space, ada, NULL), ==, ROLE_OWNER);
    g_assert_cmpint(member_role(database, space, eve, NULL), ==, ROLE_NONE);
    g_assert_cmpint(member_role(database, space, 0, NULL), ==, ROLE_NONE);
    g_assert_false(member_set_role(database, space, ada, ROLE_READER, &error));
    g_assert_nonnull(error);
    g_assert_cmpint(member_role(database, space, ada, NULL), ==, ROLE_OWNER);
    g_assert_true(member_set_role(database, space, eve, ROLE_OWNER, NULL));
    g_assert_true(member_set_role(database, space, ada, ROLE_READER, NULL));
    names = member_namespaces(database, ada, ROLE_MAINTAINER, NULL);
    g_assert_cmpuint(names->len, ==, 0);
}

static void test_tokens(void) {
    g_autoptr(Database) database = open_memory();
    gint64 ada = add_user(database, "ada"), eve = add_user(database, "eve");
    const Token wanted = {.user_id = ada, .name = (char *) "ci", .scope = SCOPE_BUILD, .expires = NOW + 1000};
    g_autofree char *secret = token_make(database, &wanted, NOW, NULL);
    g_autoptr(Token) token = token_find(database, secret, NOW, NULL);

    g_assert_cmpint(token->user_id, ==, ada);
    g_assert_cmpint(token->scope, ==, SCOPE_BUILD);
    g_assert_null(token_find(database, secret, NOW + 1000, NULL));
    g_assert_null(token_find(database, "kitchen_x", NOW, NULL));
    g_assert_true(token_revoke(database, eve, token->id, NOW, NULL));
    g_clear_pointer(&token, token_free);
    token = token_find(database, secret, NOW, NULL);
    g_assert_nonnull(token);
    g_assert_true(token_revoke(database, ada, token->id, NOW, NULL));
    g_assert_null(token_find(database, secret, NOW, NULL));
}

static void test_credentials(void) {
    g_autofree char *directory = g_dir_make_tmp("accounts-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "key", NULL);
    g_autofree char *other_path = g_build_filename(directory, "other", NULL);
    g_autoptr(SecretBox) box = secret_box_open(path, NULL);
    g_autoptr(SecretBox) again = secret_box_open(path, NULL);
    g_autoptr(SecretBox) other = secret_box_open(other_path, NULL);
    g_autoptr(Database) database = open_memory();
    g_autoptr(GError) error = NULL;
    g_autofree char *secret = NULL;
    gint64 ada = add_user(database, "ada"), project = add_project(database, "ada", "one"),
           two = add_project(database, "ada", "two");
    struct stat status;

    g_assert_cmpint(ada, !=, 0);
    g_assert_true(credential_set(database, box, project, "forge", "f", "hush", NOW, NULL, NULL));
    secret = credential_secret(database, again, project, "forge", "f", NULL);
    g_assert_cmpstr(secret, ==, "hush");
    g_assert_null(credential_secret(database, other, project, "forge", "f", &error));
    g_assert_nonnull(strstr(error->message, "key file"));
    g_clear_error(&error);
    g_assert_null(credential_secret(database, box, project, "forge", "none", &error));
    g_assert_no_error(error);
    /* Moved to another project it does not open. */
    g_assert_true(database_run(database, "UPDATE credential SET project_id = ?", DB_VALUES(DB_INT(two)), NULL));
    g_assert_null(credential_secret(database, box, two, "forge", "f", &error));
    g_assert_nonnull(error);
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0600);
    g_unlink(path);
    g_unlink(other_path);
    g_rmdir(directory);
}

static Delivery delivery_of(const char *id, const char *digest, gboolean valid, gint64 time) {
    return (Delivery){.delivery = (char *) id,
            .body_digest = (char *) digest,
            .received = time,
            .valid = valid,
            .status = valid ? 200 : 401,
            .answer = (char *) "x"};
}

static void test_deliveries(void) {
    g_autofree char *directory = g_dir_make_tmp("accounts-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "key", NULL);
    g_autoptr(SecretBox) box = secret_box_open(path, NULL);
    g_autoptr(Database) database = open_memory();
    g_autoptr(GPtrArray) list = NULL;
    g_autofree char *hook = NULL;
    Delivery good = delivery_of("a", "d1", TRUE, NOW), bad = delivery_of("b", "d2", FALSE, NOW);

    add_user(database, "ada");
    g_assert_true(hook_add(database, box, add_project(database, "ada", "one"), "github", "secret", NOW, &hook, NULL));
    g_assert_true(delivery_add(database, hook, &good, NULL) && delivery_add(database, hook, &bad, NULL));
    g_assert_cmpint(delivery_seen(database, hook, "a", "x", NOW, NULL), ==, NOW);
    g_assert_cmpint(delivery_seen(database, hook, NULL, "d1", NOW, NULL), ==, NOW);
    g_assert_cmpint(delivery_seen(database, hook, "b", "d2", NOW, NULL), ==, 0);
    g_assert_cmpint(delivery_seen(database, hook, "a", "d1", NOW + 1, NULL), ==, 0);
    /* Those that a replay could use are kept, whatever else comes. */
    for (guint i = 0; i < 200; i++) {
        Delivery noise = delivery_of(NULL, "noise", FALSE, NOW + 1 + i);
        g_assert_true(delivery_add(database, hook, &noise, NULL));
    }
    g_assert_cmpint(delivery_seen(database, hook, "a", "x", NOW, NULL), ==, NOW);
    list = delivery_list(database, hook, 1000, NULL);
    g_assert_cmpuint(list->len, ==, 51);
    g_unlink(path);
    g_rmdir(directory);
}

static void test_idempotency(void) {
    g_autoptr(Database) database = open_memory();
    g_autoptr(GError) error = NULL;
    g_autofree char *answer = NULL;
    guint status = 0;

    g_assert_null(idempotency_find(database, 1, "k", "r", NOW, &status, &error));
    g_assert_no_error(error);
    g_assert_true(idempotency_keep(database, 1, "k", "r", 202, "{}", NOW, NULL));
    answer = idempotency_find(database, 1, "k", "r", NOW + 1, &status, NULL);
    g_assert_cmpstr(answer, ==, "{}");
    g_assert_cmpuint(status, ==, 202);
    g_assert_null(idempotency_find(database, 2, "k", "r", NOW + 1, &status, &error));
    g_assert_no_error(error);
    g_assert_null(idempotency_find(database, 1, "k", "other", NOW + 1, &status, &error));
    g_assert_nonnull(error);
    g_assert_null(idempotency_find(database, 1, "k", "r", NOW + IDEMPOTENCY_LIFETIME, &status, NULL));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/accounts/names", test_names);
    g_test_add_func("/accounts/passwords", test_passwords);
    g_test_add_func("/accounts/users", test_users);
    g_test_add_func("/accounts/sessions", test_sessions);
    g_test_add_func("/accounts/roles", test_roles);
    g_test_add_func("/accounts/tokens", test_tokens);
    g_test_add_func("/accounts/credentials", test_credentials);
    g_test_add_func("/accounts/deliveries", test_deliveries);
    g_test_add_func("/accounts/idempotency", test_idempotency);
    return g_test_run();
}
