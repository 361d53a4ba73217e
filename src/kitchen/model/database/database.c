/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/database/database.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "kitchen/model/database/schema.h"

struct Database {
    sqlite3 *handle;
    GHashTable *statements; /* SQL to sqlite3_stmt: prepared once */
    guint depth;            /* of transactions */
    gboolean failed;        /* an inner transaction was given up: the outer one cannot be committed */
    DatabaseListener listener;
    gpointer listener_user;
    DatabaseFault fault;
    gpointer fault_user;
    gint64 last_event;
};

struct DatabaseRows {
    Database *database;
    sqlite3_stmt *statement;
};

struct DatabaseTransaction {
    Database *database;
    gboolean committed;
};

G_DEFINE_QUARK(database - error - quark, database_error)

static gboolean set_error(Database *database, const char *what, GError **error) {
    int code = sqlite3_errcode(database->handle);
    int number = code == SQLITE_CONSTRAINT                      ? DATABASE_ERROR_CONFLICT
                 : code == SQLITE_BUSY || code == SQLITE_LOCKED ? DATABASE_ERROR_BUSY
                                                                : DATABASE_ERROR_FAILED;

    g_set_error(error, DATABASE_ERROR, number, "%s: %s", what, sqlite3_errmsg(database->handle));
    return FALSE;
}

static void reach(Database *database, const char *where) {
    if (database->fault)
        database->fault(database->fault_user, where);
}

static sqlite3_stmt *prepare(Database *database, const char *sql, GError **error) {
    sqlite3_stmt *statement = g_hash_table_lookup(database->statements, sql);

    if (!statement) {
        if (sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK) {
            g_autofree char *what = g_strdup_printf("Cannot prepare \"%s\"", sql);
            set_error(database, what, error);
            return NULL;
        }
        g_hash_table_insert(database->statements, g_strdup(sql), statement);
    }
    g_assert(!sqlite3_stmt_busy(statement));
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return statement;
}

static int bind(sqlite3_stmt *statement, int position, const DatabaseValue *value) {
    gconstpointer data = NULL;
    gsize size = 0;

    switch (value->type) {
    case DATABASE_INTEGER:
        return sqlite3_bind_int64(statement, position, value->integer);
    case DATABASE_TEXT:
        return sqlite3_bind_text(statement, position, value->text, -1, SQLITE_TRANSIENT);
    case DATABASE_BYTES:
        if (!value->bytes)
            return sqlite3_bind_null(statement, position);
        data = g_bytes_get_data(value->bytes, &size);
        return sqlite3_bind_blob64(statement, position, data ?: "", size, SQLITE_TRANSIENT);
    case DATABASE_NULL:
        break;
    }
    return sqlite3_bind_null(statement, position);
}

DatabaseRows *database_select(
        Database *database, const char *sql, const DatabaseValue *values, gsize n_values, GError **error) {
    sqlite3_stmt *statement = prepare(database, sql, error);
    DatabaseRows *rows = NULL;

    if (!statement)
        return NULL;
    g_assert((gsize) sqlite3_bind_parameter_count(statement) == n_values);
    for (gsize i = 0; i < n_values; i++)
        if (bind(statement, (int) i + 1, values + i) != SQLITE_OK) {
            set_error(database, sql, error);
            return NULL;
        }
    rows = g_new0(DatabaseRows, 1);
    rows->database = database;
    rows->statement = statement;
    return rows;
}

void database_rows_free(DatabaseRows *rows) {
    if (!rows)
        return;
    sqlite3_reset(rows->statement);
    g_free(rows);
}

gboolean database_rows_next(DatabaseRows *rows, GError **error) {
    int code = sqlite3_step(rows->statement);

    if (code == SQLITE_ROW)
        return TRUE;
    if (code != SQLITE_DONE)
        set_error(rows->database, sqlite3_sql(rows->statement), error);
    return FALSE;
}

gint64 database_rows_integer(const DatabaseRows *rows, int column) {
    return sqlite3_column_int64(rows->statement, column);
}

const char *database_rows_text(const DatabaseRows *rows, int column) {
    return (const char *) sqlite3_column_text(rows->statement, column);
}

gboolean database_rows_is_null(const DatabaseRows *rows, int column) {
    return sqlite3_column_type(rows->statement, column) == SQLITE_NULL;
}

GBytes *database_rows_bytes(const DatabaseRows *rows, int column) {
    const void *data = sqlite3_column_blob(rows->statement, column);

    if (database_rows_is_null(rows, column))
        return NULL;
    return g_bytes_new(data, (gsize) sqlite3_column_bytes(rows->statement, column));
}

char *database_rows_dup(const DatabaseRows *rows, int column) {
    return g_strdup(database_rows_text(rows, column));
}

gboolean database_run_full(Database *database, const char *sql, const DatabaseValue *values, gsize n_values,
        gint64 *ret_id, guint *ret_changed, GError **error) {
    g_autoptr(DatabaseRows) rows = database_select(database, sql, values, n_values, error);
    g_autoptr(GError) failure = NULL;

    if (!rows)
        return FALSE;
    if (database_rows_next(rows, &failure))
        g_error("\"%s\" gives rows", sql);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (ret_id)
        *ret_id = sqlite3_last_insert_rowid(database->handle);
    if (ret_changed)
        *ret_changed = (guint) sqlite3_changes(database->handle);
    return TRUE;
}

gboolean database_run(
        Database *database, const char *sql, const DatabaseValue *values, gsize n_values, GError **error) {
    return database_run_full(database, sql, values, n_values, NULL, NULL, error);
}

GPtrArray *database_list(Database *database, const char *sql, const DatabaseValue *values, gsize n_values,
        DatabaseRead read, GDestroyNotify free_row, GError **error) {
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(free_row);
    g_autoptr(DatabaseRows) rows = database_select(database, sql, values, n_values, error);
    g_autoptr(GError) failure = NULL;

    if (!rows)
        return NULL;
    while (database_rows_next(rows, &failure))
        g_ptr_array_add(list, read(rows));
    if (!failure)
        return g_steal_pointer(&list);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

gpointer database_first(Database *database, const char *sql, const DatabaseValue *values, gsize n_values,
        DatabaseRead read, GError **error) {
    g_autoptr(DatabaseRows) rows = database_select(database, sql, values, n_values, error);

    return rows && database_rows_next(rows, error) ? read(rows) : NULL;
}

gint64 database_integer(Database *database, const char *sql, const DatabaseValue *values, gsize n_values,
        gint64 fallback, GError **error) {
    g_autoptr(DatabaseRows) rows = database_select(database, sql, values, n_values, error);

    if (!rows || !database_rows_next(rows, error) || database_rows_is_null(rows, 0))
        return fallback;
    return database_rows_integer(rows, 0);
}

DatabaseTransaction *database_begin(Database *database, GError **error) {
    DatabaseTransaction *transaction = NULL;

    /* At once a writer: two that read first and write later would wait for each other. */
    if (database->depth == 0) {
        database->failed = FALSE;
        if (!database_run(database, "BEGIN IMMEDIATE", DB_NONE, error))
            return NULL;
    }
    database->depth++;
    transaction = g_new0(DatabaseTransaction, 1);
    transaction->database = database;
    return transaction;
}

static void tell_listener(Database *database) {
    gint64 last = 0;

    if (!database->listener)
        return;
    last = database_integer(database, "SELECT max(id) FROM event", DB_NONE, 0, NULL);
    if (last == database->last_event)
        return;
    database->last_event = last;
    database->listener(database->listener_user, last);
}

gboolean database_commit(DatabaseTransaction *transaction, GError **error) {
    Database *database = transaction->database;

    g_assert(!transaction->committed);
    if (database->failed) {
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_FAILED, "A part of the transaction was given up");
        return FALSE;
    }
    if (database->depth == 1) {
        reach(database, "before commit");
        if (!database_run(database, "COMMIT", DB_NONE, error))
            return FALSE;
        reach(database, "after commit");
    }
    transaction->committed = TRUE;
    if (--database->depth == 0)
        tell_listener(database);
    return TRUE;
}

void database_transaction_free(DatabaseTransaction *transaction) {
    Database *database = NULL;

    if (!transaction)
        return;
    database = transaction->database;
    if (!transaction->committed) {
        database->failed = TRUE;
        if (--database->depth == 0) {
            g_autoptr(GError) error = NULL;

            if (!database_run(database, "ROLLBACK", DB_NONE, &error))
                g_warning("%s", error->message);
        }
    }
    g_free(transaction);
}

void database_set_listener(Database *database, DatabaseListener listener, gpointer user) {
    database->last_event = database_integer(database, "SELECT max(id) FROM event", DB_NONE, 0, NULL);
    database->listener = listener;
    database->listener_user = user;
}

void database_set_fault(Database *database, DatabaseFault fault, gpointer user) {
    database->fault = fault;
    database->fault_user = user;
}

/* An empty file is an empty database; the files that SQLite puts beside it get its mode. */
static gboolean make_file(const char *path, GError **error) {
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    return fd >= 0 || set_errno_error(error, errno, "Cannot open the database %s", path);
}

gboolean database_backup(Database *database, const char *path, GError **error) {
    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_CONFLICT, "%s is there already", path);
        return FALSE;
    }
    /* SQLite would make one that everybody reads. */
    if (!make_file(path, error))
        return FALSE;
    if (!database_run(database, "VACUUM INTO ?", DB_VALUES(DB_TEXT(path)), error)) {
        g_prefix_error(error, "Cannot copy the database to %s: ", path);
        return FALSE;
    }
    return TRUE;
}

static gboolean execute(Database *database, const char *sql, GError **error) {
    if (sqlite3_exec(database->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return set_error(database, "Cannot set up the database", error);
    return TRUE;
}

/* One step of the schema, whole or not at all. */
static gboolean take_step(Database *database, guint version, GError **error) {
    g_autofree char *sql = schema_step(version);
    g_autofree char *number = g_strdup_printf("PRAGMA user_version = %u", version);
    g_autoptr(DatabaseTransaction) transaction = database_begin(database, error);

    return transaction && execute(database, sql, error) && execute(database, number, error) &&
           database_commit(transaction, error);
}

/* The version of the schema, which this program has to know. */
static gboolean read_version(Database *database, gint64 *ret_version, GError **error) {
    g_autoptr(GError) failure = NULL;
    gint64 version = database_integer(database, "PRAGMA user_version", DB_NONE, 0, &failure);

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (version > SCHEMA_VERSION) {
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_NEWER,
                "It was written by a later version of this program (schema %" G_GINT64_FORMAT
                ", this one knows %u): install that version, or go back to a copy of the database",
                version, SCHEMA_VERSION);
        return FALSE;
    }
    *ret_version = version;
    return TRUE;
}

/* Makes the copy PATH, which is there whole or not at all. */
static gboolean copy_whole(Database *database, const char *path, GError **error) {
    g_autofree char *beside = g_strconcat(path, ".new", NULL);

    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    (void) unlink(beside);
    return database_backup(database, beside, error) &&
           (rename(beside, path) == 0 || set_errno_error(error, errno, "Cannot rename %s", beside));
}

static gboolean upgrade(Database *database, const char *path, GError **error) {
    gint64 version = 0;

    if (!read_version(database, &version, error))
        return FALSE;
    if (version > 0 && version < SCHEMA_VERSION) {
        g_autofree char *copy = g_strdup_printf("%s.before-%u", path, SCHEMA_VERSION);

        if (!copy_whole(database, copy, error))
            return FALSE;
    }
    while (version < SCHEMA_VERSION)
        if (!take_step(database, (guint) ++version, error))
            return FALSE;
    return TRUE;
}

static void finalize_statement(gpointer statement) {
    sqlite3_finalize(statement);
}

static Database *open_file(const char *path, GError **error) {
    g_autoptr(Database) database = g_new0(Database, 1);
    int code = sqlite3_open_v2(path, &database->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);

    database->statements = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, finalize_statement);
    if (code != SQLITE_OK) {
        set_error(database, "Cannot open", error);
        g_prefix_error(error, "Database %s: ", path);
        return NULL;
    }
    sqlite3_busy_timeout(database->handle, 10000);
    return g_steal_pointer(&database);
}

Database *database_open(const char *path, GError **error) {
    g_autoptr(Database) database = NULL;

    if ((!g_str_equal(path, ":memory:") && !make_file(path, error)) || !(database = open_file(path, error)))
        return NULL;
    /* FULL: what was acknowledged survives a power cut in WAL mode, too. */
    if (!execute(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;", error) ||
            !upgrade(database, path, error)) {
        g_prefix_error(error, "Database %s: ", path);
        return NULL;
    }
    return g_steal_pointer(&database);
}

Database *database_open_unchanged(const char *path, GError **error) {
    g_autoptr(Database) database = open_file(path, error);
    gint64 version = 0;

    if (!database)
        return NULL;
    if (read_version(database, &version, error) && version > 0)
        return g_steal_pointer(&database);
    if (version == 0 && error && !*error)
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_FAILED, "It is no database of a build service");
    g_prefix_error(error, "Database %s: ", path);
    return NULL;
}

static gpointer read_text(const DatabaseRows *rows) {
    return database_rows_dup(rows, 0);
}

gboolean database_check(Database *database, GError **error) {
    g_autoptr(GPtrArray) said = database_list(database, "PRAGMA integrity_check", DB_NONE, read_text, g_free, error);
    g_autoptr(GPtrArray) lost =
            said ? database_list(database, "PRAGMA foreign_key_check", DB_NONE, read_text, g_free, error) : NULL;

    if (!lost)
        return FALSE;
    if (said->len != 1 || g_strcmp0(said->pdata[0], "ok") != 0) {
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_FAILED, "The database is damaged: %s",
                said->len > 0 && said->pdata[0] ? (const char *) said->pdata[0] : "SQLite cannot say where");
        return FALSE;
    }
    if (lost->len > 0) {
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_FAILED,
                "The database is damaged: %u rows, one of the table %s, refer to nothing", lost->len,
                (const char *) lost->pdata[0]);
        return FALSE;
    }
    return TRUE;
}

void database_free(Database *database) {
    if (!database)
        return;
    g_clear_pointer(&database->statements, g_hash_table_unref);
    sqlite3_close(database->handle);
    g_free(database);
}
