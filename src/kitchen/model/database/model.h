/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the build service knows: a database and the time. Every function of this room takes a Model; times
 * are milliseconds since 1970, UTC, and come from its clock, so that tests can turn it. Used by one thread.
 */

#include "kitchen/model/database/database.h"

#define MODEL_ERROR model_error_quark()
GQuark model_error_quark(void);

typedef enum {
    MODEL_ERROR_INVALID,   /* a value that cannot be: a name with a slash, an unknown word */
    MODEL_ERROR_NOT_FOUND, /* there is no such row */
    MODEL_ERROR_STATE,     /* the state does not allow it */
    MODEL_ERROR_DENIED,    /* a ticket or token that is unknown, used, or expired */
} ModelError;

/* The time in milliseconds since 1970. */
typedef gint64 (*ModelClock)(gpointer user);

typedef struct Model Model;

/* Opens the database PATH as database_open() does. CLOCK may be NULL: the system's. */
Model *model_open(const char *path, ModelClock clock, gpointer user, GError **error);
void model_free(Model *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Model, model_free)

/* Owned by the model. */
Database *model_database(Model *model);
gint64 model_now(Model *model);

/* How many milliseconds the machine's clock has jumped ahead of what model_now() goes by, negative: back; 0: it has not. Without a
 * clock of one's own model_now() goes on when the machine's jumps: nothing expires by that, and versions and times grow. */
gint64 model_clock_jump(Model *model);

/* What is compared instead of a ticket or token: its SHA-256 digest in hexadecimal. Owned by the caller. */
char *model_secret_digest(const char *secret);

/* 32 random bytes in hexadecimal; owned by the caller. */
char *model_secret_new(void);

/* The one row that SQL selects; MODEL_ERROR_NOT_FOUND, which names WHAT, when there is none. */
gpointer model_row(Model *model, const char *sql, const DatabaseValue *values, gsize n_values, DatabaseRead read,
        const char *what, GError **error);

/* database_list(). */
GPtrArray *model_rows(Model *model, const char *sql, const DatabaseValue *values, gsize n_values, DatabaseRead read,
        GDestroyNotify free_row, GError **error);

/* Copies FAILURE (may be NULL) to ERROR. Returns whether there was none. */
gboolean model_check(GError *failure, GError **error) G_GNUC_WARN_UNUSED_RESULT;
