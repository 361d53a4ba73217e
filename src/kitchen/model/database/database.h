/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The database of the build service: SQLite in WAL mode, with one writer. SQL keeps to what PostgreSQL takes
 * as well. A Database is used by one thread at a time. Times are milliseconds since 1970, UTC. */

#include <glib.h>

#define DATABASE_ERROR database_error_quark()
GQuark database_error_quark(void);

typedef enum {
    DATABASE_ERROR_FAILED,
    DATABASE_ERROR_CONFLICT, /* a constraint: a name that is taken, a row that is referred to */
    DATABASE_ERROR_NEWER,    /* written by a later version of the program */
    DATABASE_ERROR_BUSY,     /* another process has it */
} DatabaseError;

typedef struct Database Database;

/* Opens the file PATH, makes it (mode 0600) when it is not there, and brings its schema up to date; a copy
 * PATH.before-N is made before a schema of version N is changed. ":memory:" is a database that goes away
 * when it is freed. */
Database *database_open(const char *path, GError **error);
void database_free(Database *database);

/* Opens the file PATH, which has to be there, beside the process that has it, and changes nothing: an older schema stays. */
Database *database_open_unchanged(const char *path, GError **error);

/* Whether SQLite finds every page and every reference of the database good. Reads all of it. */
gboolean database_check(Database *database, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Database, database_free)

/* A value of a statement's "?". Made by the macros below. */
typedef struct {
    enum { DATABASE_NULL, DATABASE_INTEGER, DATABASE_TEXT, DATABASE_BYTES } type;
    gint64 integer;
    const char *text; /* NULL is NULL */
    GBytes *bytes;    /* NULL is NULL */
} DatabaseValue;

#define DB_NULL ((DatabaseValue){.type = DATABASE_NULL})
#define DB_INT(x) ((DatabaseValue){.type = DATABASE_INTEGER, .integer = (x)})
#define DB_TEXT(x) ((DatabaseValue){.type = DATABASE_TEXT, .text = (x)})
#define DB_BYTES(x) ((DatabaseValue){.type = DATABASE_BYTES, .bytes = (x)})
/* An identifier where 0 means none. */
#define DB_ID(x) ((x) != 0 ? DB_INT(x) : DB_NULL)

/* The values of a statement, in order: DB_VALUES(DB_INT(5), DB_TEXT("x")). */
#define DB_VALUES(...)                                                                                                 \
    ((const DatabaseValue[]){__VA_ARGS__}), (sizeof((const DatabaseValue[]){__VA_ARGS__}) / sizeof(DatabaseValue))
#define DB_NONE ((const DatabaseValue *) NULL), ((gsize) 0)

/* Runs a statement that gives no rows. RET_ID (may be NULL) receives the identifier of the row that an
 * INSERT made, RET_CHANGED (may be NULL) how many rows changed. */
gboolean database_run_full(Database *database, const char *sql, const DatabaseValue *values, gsize n_values,
        gint64 *ret_id, guint *ret_changed, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean database_run(Database *database, const char *sql, const DatabaseValue *values, gsize n_values,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Rows of a SELECT. No other statement with the same text may be started before it is freed. */
typedef struct DatabaseRows DatabaseRows;
DatabaseRows *database_select(
        Database *database, const char *sql, const DatabaseValue *values, gsize n_values, GError **error);
void database_rows_free(DatabaseRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DatabaseRows, database_rows_free)

/* Goes to the next row. FALSE: there is none, or, with ERROR set, it failed. */
gboolean database_rows_next(DatabaseRows *rows, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The COLUMN, from 0, of the row. NULL is 0; text is owned by the rows until the next one. */
gint64 database_rows_integer(const DatabaseRows *rows, int column);
const char *database_rows_text(const DatabaseRows *rows, int column);
gboolean database_rows_is_null(const DatabaseRows *rows, int column);
/* Owned by the caller; NULL for NULL. */
GBytes *database_rows_bytes(const DatabaseRows *rows, int column);
char *database_rows_dup(const DatabaseRows *rows, int column);

/* Makes what a row of a SELECT is; owned by the caller. */
typedef gpointer (*DatabaseRead)(const DatabaseRows *rows);

/* All rows that SQL selects: an array, whose elements FREE_ROW frees. NULL with ERROR set. */
GPtrArray *database_list(Database *database, const char *sql, const DatabaseValue *values, gsize n_values,
        DatabaseRead read, GDestroyNotify free_row, GError **error);

/* The first row that SQL selects; NULL without ERROR set: there is none. */
gpointer database_first(Database *database, const char *sql, const DatabaseValue *values, gsize n_values,
        DatabaseRead read, GError **error);

/* The integer that SQL selects, FALLBACK when there is no row or it is NULL. ERROR is set when it fails. */
gint64 database_integer(Database *database, const char *sql, const DatabaseValue *values, gsize n_values,
        gint64 fallback, GError **error);

/* A transaction: everything until its commit happens, or nothing does. Freed without commit it is undone.
 * One inside of another is part of that one. */
typedef struct DatabaseTransaction DatabaseTransaction;
DatabaseTransaction *database_begin(Database *database, GError **error);
gboolean database_commit(DatabaseTransaction *transaction, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void database_transaction_free(DatabaseTransaction *transaction);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DatabaseTransaction, database_transaction_free)

/* Called after each transaction that added rows to "event" was committed, with the identifier of the last
 * one. */
typedef void (*DatabaseListener)(gpointer user, gint64 last_event);
void database_set_listener(Database *database, DatabaseListener listener, gpointer user);

/* Writes a consistent copy of the database to PATH, which must not exist. */
gboolean database_backup(Database *database, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What is called at each commit and file operation that a crash could come between, by name: for tests that
 * crash there. */
typedef void (*DatabaseFault)(gpointer user, const char *where);
void database_set_fault(Database *database, DatabaseFault fault, gpointer user);
