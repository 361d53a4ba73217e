/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "kitchen/model/database/clock.h"
#include "kitchen/model/database/database.h"
#include "kitchen/model/database/schema.h"

static Database *open_memory(void) {
    g_autoptr(GError) error = NULL;
    Database *database = database_open(":memory:", &error);

    g_assert_no_error(error);
    return database;
}

static gboolean add_user(Database *database, const char *name, GError **error) {
    return database_run(
            database, "INSERT INTO user (name, created) VALUES (?, ?)", DB_VALUES(DB_TEXT(name), DB_INT(1)), error);
}

static gint64 count_users(Database *database) {
    return database_integer(database, "SELECT count(*) FROM user", DB_NONE, -1, NULL);
}

static void test_values(void) {
    g_autoptr(Database) database = open_memory();
    g_autoptr(GError) error = NULL;
    g_autoptr(DatabaseRows) rows = NULL;
    gint64 id = 0;

    g_assert_true(database_run_full(database, "INSERT INTO user (name, password, created) VALUES (?, ?, ?)",
            DB_VALUES(DB_TEXT("ada'; DROP TABLE user"), DB_NULL, DB_INT(G_MAXINT64)), &id, NULL, &error));
    g_assert_cmpint(id, ==, 1);
    rows = database_select(
            database, "SELECT name, password, created FROM user WHERE id = ?", DB_VALUES(DB_INT(id)), &error);
    g_assert_nonnull(rows);
    g_assert_true(database_rows_next(rows, &error));
    g_assert_cmpstr(database_rows_text(rows, 0), ==, "ada'; DROP TABLE user");
    g_assert_true(database_rows_is_null(rows, 1));
    g_assert_cmpint(database_rows_integer(rows, 2), ==, G_MAXINT64);
    g_assert_false(database_rows_next(rows, &error));
    g_assert_no_error(error);
}

static void test_conflict(void) {
    g_autoptr(Database) database = open_memory();
    g_autoptr(GError) error = NULL;

    g_assert_true(add_user(database, "ada", NULL));
    g_assert_false(add_user(database, "ada", &error));
    g_assert_error(error, DATABASE_ERROR, DATABASE_ERROR_CONFLICT);
    g_clear_error(&error);
    /* References are enforced. */
    g_assert_false(database_run(
            database, "INSERT INTO member (namespace_id, user_id, role) VALUES (7, 1, 'owner')", DB_NONE, &error));
    g_assert_error(error, DATABASE_ERROR, DATABASE_ERROR_CONFLICT);
}

static void test_transaction(void) {
    g_autoptr(Database) database = open_memory();

    {
        g_autoptr(DatabaseTransaction) outer = database_begin(database, NULL);
        g_assert_true(add_user(database, "ada", NULL));
    }
    g_assert_cmpint(count_users(database), ==, 0);
    {
        g_autoptr(DatabaseTransaction) outer = database_begin(database, NULL);
        {
            g_autoptr(DatabaseTransaction) inner = database_begin(database, NULL);
            g_assert_true(add_user(database, "bob", NULL));
            g_assert_true(database_commit(inner, NULL));
        }
        g_assert_true(database_commit(outer, NULL));
    }
    g_assert_cmpint(count_users(database), ==, 1);
    {
        g_autoptr(GError) error = NULL;
        g_autoptr(DatabaseTransaction) outer = database_begin(database, NULL);
        {
            g_autoptr(DatabaseTransaction) inner = database_begin(database, NULL);
            g_assert_true(add_user(database, "eve", NULL));
        }
        g_assert_false(database_commit(outer, &error));
        g_assert_error(error, DATABASE_ERROR, DATABASE_ERROR_FAILED);
    }
    g_assert_cmpint(count_users(database), ==, 1);
}

static void count_event(gpointer user, gint64 last_event) {
    *(gint64 *) user += 100 + last_event;
}

static void test_listener(void) {
    g_autoptr(Database) database = open_memory();
    gint64 heard = 0;

    database_set_listener(database, count_event, &heard);
    for (guint i = 0; i < 2; i++) {
        g_autoptr(DatabaseTransaction) transaction = database_begin(database, NULL);
        g_assert_true(database_run(database, "INSERT INTO event (time, kind) VALUES (1, 'x')", DB_NONE, NULL));
        if (i == 0)
            g_assert_true(database_commit(transaction, NULL));
    }
    g_assert_cmpint(heard, ==, 101);
}

static void test_file(void) {
    g_autofree char *directory = g_dir_make_tmp("database-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "kitchen.sqlite", NULL);
    g_autofree char *copy = g_build_filename(directory, "copy", NULL);
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    g_autofree char *shm = g_strconcat(path, "-shm", NULL);
    g_autoptr(GError) error = NULL;
    struct stat status;

    {
        g_autoptr(Database) database = database_open(path, &error);
        g_assert_no_error(error);
        g_assert_true(add_user(database, "ada", NULL));
        g_assert_true(database_backup(database, copy, NULL));
        g_assert_false(database_backup(database, copy, &error));
        g_clear_error(&error);
    }
    g_assert_cmpint(g_stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0600);
    {
        g_autoptr(Database) database = database_open(copy, NULL);
        g_assert_cmpint(count_users(database), ==, 1);
        g_assert_true(database_run(database, "PRAGMA user_version = 1000", DB_NONE, NULL));
    }
    g_assert_null(database_open(copy, &error));
    g_assert_error(error, DATABASE_ERROR, DATABASE_ERROR_NEWER);
    g_clear_error(&error);
    g_assert_true(g_file_set_contents(copy, "not a database, whatever its name says it is............", -1, NULL));
    g_assert_null(database_open(copy, &error));
    g_assert_error(error, DATABASE_ERROR, DATABASE_ERROR_FAILED);
    g_unlink(path);
    g_unlink(copy);
    g_unlink(wal);
    g_unlink(shm);
    g_rmdir(directory);
}

/* Hooks still have theirs, and one of a later kind can be added. */
static void assert_credentials_stay(Database *database) {
    g_assert_cmpint(database_integer(database,
                            "SELECT count(*) FROM hook JOIN credential ON credential.id = hook.credential_id "
                            "WHERE secret = x'00ff' AND credential.created = 5",
                            DB_NONE, 0, NULL),
            ==, 1);
    g_assert_true(database_run(database,
            "INSERT INTO credential (project_id, kind, name, secret, created) VALUES (1, 'git-host', 'n', x'00', 1)",
            DB_NONE, NULL));
    g_assert_cmpint(
            database_integer(database, "SELECT count(*) FROM pragma_foreign_key_check", DB_NONE, 0, NULL), ==, 0);
}

/* What was shared before stays as it is; from now on an image ID is that of one target. */
static void test_upgrade(void) {
    g_autofree char *directory = g_dir_make_tmp("database-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "kitchen.sqlite", NULL);
    g_autofree char *copy = g_strconcat(path, ".before-3", NULL);
    g_autofree char *schema = schema_step(1);
    g_autoptr(GError) error = NULL;
    sqlite3 *handle = NULL;

    g_assert_cmpint(sqlite3_open(path, &handle), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(handle, schema, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(
            sqlite3_exec(handle,
                    "PRAGMA user_version = 1; INSERT INTO namespace (id, name, created) VALUES (1, 'ada', 1);"
                    "INSERT INTO project (id, namespace_id, name, url, branch, created) VALUES "
                    "(1, 1, 'a', 'u', 'main', 1), (2, 1, 'b', 'u', 'main', 1);"
                    "INSERT INTO target (id, project_id, name, image_id) VALUES (1, 1, 'x', 'Os'), (2, 2, 'x', 'Os'), "
                    "(3, 2, 'y', 'Other');"
                    "INSERT INTO credential (id, project_id, kind, name, secret, created) VALUES "
                    "(7, 1, 'hook', 'h', x'00ff', 5);"
                    "INSERT INTO hook (id, project_id, kind, credential_id, created) VALUES ('h', 1, 'github', 7, 5)",
                    NULL, NULL, NULL),
            ==, SQLITE_OK);
    sqlite3_close(handle);
    {
        g_autoptr(Database) database = database_open(path, &error);

        g_assert_no_error(error);
        g_assert_true(g_file_test(copy, G_FILE_TEST_EXISTS));
        g_assert_cmpint(
                database_integer(database, "SELECT count(*) FROM target WHERE image_id = 'Os'", DB_NONE, 0, NULL), ==,
                2);
        g_assert_false(database_run(
                database, "INSERT INTO target (project_id, name, image_id) VALUES (1, 'z', 'Os')", DB_NONE, &error));
        g_assert_error(error, DATABASE_ERROR, DATABASE_ERROR_CONFLICT);
        g_assert_true(database_run(
                database, "INSERT INTO target (project_id, name, image_id) VALUES (1, 'z', 'Os2')", DB_NONE, NULL));
        assert_credentials_stay(database);
    }
    g_unlink(path);
    g_unlink(copy);
    g_rmdir(directory);
}

/* A jump of a year, both ways, is not followed; an hour is, slowly; time never goes back. */
static void test_clock(void) {
    const gint64 start = 1700000000000;
    static const struct {
        gint64 jump, min, max; /* after 1000 seconds */
        gboolean is_jump;
    } cases[] = {
            {0, 1000000, 1000000, FALSE},
            {365 * STEADY_JUMP, 1000000, 1000000, TRUE},
            {-365 * STEADY_JUMP, 1000000, 1000000, TRUE},
            {3600000, 1099000, 1100000, FALSE},
            {-3600000, 900000, 901000, FALSE},
            {2000, 1002000, 1002000, FALSE},
            {-2000, 998000, 998000, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        SteadyClock clock = {0};
        gint64 last = steady_clock_read(&clock, start, 5000), now = last;

        g_assert_cmpint(last, ==, start);
        for (gint64 passed = 1; passed <= 1000000; passed += passed < 100 ? 1 : 333) {
            now = steady_clock_read(&clock, start + passed + cases[i].jump, 5000 + passed);
            g_assert_cmpint(now, >=, last);
            last = now;
        }
        now = steady_clock_read(&clock, start + 1000000 + cases[i].jump, 5000 + 1000000);
        g_assert_cmpint(now - start, >=, cases[i].min);
        g_assert_cmpint(now - start, <=, cases[i].max);
        g_assert_cmpint(steady_clock_jump(&clock, start + 1000000 + cases[i].jump) != 0, ==, cases[i].is_jump);
        /* And back to what it was. */
        g_assert_cmpint(steady_clock_jump(&clock, start + 1000000), ==, 0);
    }
}

/* Releases of the schema before stay as they are, for all devices, and links are made anew. */
static void test_releases_stay(void) {
    g_autofree char *directory = g_dir_make_tmp("database-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "kitchen.sqlite", NULL);
    g_autofree char *copy = g_strconcat(path, ".before-3", NULL);
    g_autofree char *first = schema_step(1);
    g_autofree char *second = schema_step(2);
    sqlite3 *handle = NULL;

    g_assert_cmpint(sqlite3_open(path, &handle), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(handle, first, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(handle, second, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(
            sqlite3_exec(handle,
                    "PRAGMA user_version = 2; INSERT INTO namespace (id, name, created) VALUES (1, 'ada', 1);"
                    "INSERT INTO project (id, namespace_id, name, url, branch, created) VALUES (1, 1, 'a', 'u', 'main', 1);"
                    "INSERT INTO target (id, project_id, name, image_id) VALUES (1, 1, 'x', 'Os');"
                    "INSERT INTO channel (id, project_id, name) VALUES (1, 1, 'testing');"
                    "INSERT INTO build (id, project_id, number, version, cause, state, created) VALUES "
                    "(1, 1, 1, '20261129020000', 'push', 'published', 1), (2, 1, 2, '20261130020000', 'push', 'publishing', 1);"
                    "INSERT INTO release (id, channel_id, build_id, version, state, created, published) VALUES "
                    "(5, 1, 1, '20261129020000', 'published', 1, 7), (6, 1, 2, '20261130020000', 'publishing', 8, NULL);"
                    "INSERT INTO release_file (release_id, target_id, name, digest, size) VALUES (5, 1, 'f', 'd', 1);"
                    "INSERT INTO release_set (release_id, target_id, digest) VALUES (5, 1, 's')",
                    NULL, NULL, NULL),
            ==, SQLITE_OK);
    sqlite3_close(handle);
    {
        g_autoptr(GError) error = NULL;
        g_autoptr(Database) database = database_open(path, &error);

        g_assert_no_error(error);
        g_assert_true(g_file_test(copy, G_FILE_TEST_EXISTS));
        g_assert_cmpint(database_integer(database,
                                "SELECT count(*) FROM release JOIN release_file f ON f.release_id = release.id JOIN "
                                "release_set s ON s.release_id = release.id WHERE release.id = 5 AND percent = 100 AND "
                                "halted = 0 AND begun = 7 AND published = 7 AND state = 'published'",
                                DB_NONE, 0, NULL),
                ==, 1);
        g_assert_cmpint(database_integer(database,
                                "SELECT count(*) FROM release WHERE state = 'publishing' AND begun IS NULL", DB_NONE, 0,
                                NULL),
                ==, 1);
        g_assert_cmpint(
                database_integer(database, "SELECT wanted > switched FROM channel", DB_NONE, 0, NULL), ==, 1);
        g_assert_cmpint(
                database_integer(database, "SELECT count(*) FROM pragma_foreign_key_check", DB_NONE, 0, NULL), ==, 0);
    }
    g_unlink(path);
    g_unlink(copy);
    g_rmdir(directory);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kitchen/database/values", test_values);
    g_test_add_func("/kitchen/database/conflict", test_conflict);
    g_test_add_func("/kitchen/database/transaction", test_transaction);
    g_test_add_func("/kitchen/database/listener", test_listener);
    g_test_add_func("/kitchen/database/file", test_file);
    g_test_add_func("/kitchen/database/upgrade", test_upgrade);
    g_test_add_func("/kitchen/model/clock", test_clock);
    g_test_add_func("/kitchen/database/releases-stay", test_releases_stay);
    return g_test_run();
}
