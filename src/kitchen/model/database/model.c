/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/database/model.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "kitchen/model/database/clock.h"

struct Model {
    Database *database;
    ModelClock clock;
    gpointer user;
    SteadyClock steady; /* where there is no other clock */
};

G_DEFINE_QUARK(model - error - quark, model_error)

static gint64 wall_clock(void) {
    return g_get_real_time() / 1000;
}

/* A machine that sleeps lives. */
static gint64 system_clock(gpointer user) {
    Model *model = user;
    struct timespec alive = {0};

    clock_gettime(CLOCK_BOOTTIME, &alive);
    return steady_clock_read(&model->steady, wall_clock(), (gint64) alive.tv_sec * 1000 + alive.tv_nsec / 1000000);
}

gint64 model_clock_jump(Model *model) {
    return steady_clock_jump(&model->steady, wall_clock());
}

Model *model_open(const char *path, ModelClock clock, gpointer user, GError **error) {
    Database *database = database_open(path, error);
    Model *model = NULL;

    if (!database)
        return NULL;
    model = g_new0(Model, 1);
    model->database = database;
    model->clock = clock ?: system_clock;
    model->user = clock ? user : model;
    return model;
}

void model_free(Model *model) {
    if (!model)
        return;
    database_free(model->database);
    g_free(model);
}

Database *model_database(Model *model) {
    return model->database;
}

gint64 model_now(Model *model) {
    return model->clock(model->user);
}

char *model_secret_digest(const char *secret) {
    guint8 digest[SHA256_SIZE];

    sha256_buffer(secret, strlen(secret), digest);
    return hex_encode(digest, sizeof digest);
}

char *model_secret_new(void) {
    guint8 bytes[32];

    /* Up to 256 bytes come whole or not at all. */
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        g_error("No random bytes: %s", g_strerror(errno));
    return hex_encode(bytes, sizeof bytes);
}

gboolean model_check(GError *failure, GError **error) {
    if (!failure)
        return TRUE;
    g_propagate_error(error, g_error_copy(failure));
    return FALSE;
}

gpointer model_row(Model *model, const char *sql, const DatabaseValue *values, gsize n_values, DatabaseRead read,
        const char *what, GError **error) {
    g_autoptr(DatabaseRows) rows = database_select(model->database, sql, values, n_values, error);
    g_autoptr(GError) failure = NULL;

    if (!rows)
        return NULL;
    if (database_rows_next(rows, &failure))
        return read(rows);
    if (model_check(failure, error))
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND, "There is no such %s", what);
    return NULL;
}

GPtrArray *model_rows(Model *model, const char *sql, const DatabaseValue *values, gsize n_values, DatabaseRead read,
        GDestroyNotify free_row, GError **error) {
    return database_list(model->database, sql, values, n_values, read, free_row, error);
}
