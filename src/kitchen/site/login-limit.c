/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "login-limit.h"

/* More names than that are somebody's who tries names; the oldest go. */
#define NAMES_MAX 4096

typedef struct {
    guint n;
    gint64 first;
} Attempts;

struct LoginLimit {
    GHashTable *names; /* to Attempts */
    Attempts all;
};

LoginLimit *login_limit_new(void) {
    LoginLimit *limit = g_new0(LoginLimit, 1);

    limit->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return limit;
}

void login_limit_free(LoginLimit *limit) {
    if (!limit)
        return;
    g_hash_table_unref(limit->names);
    g_free(limit);
}

static gboolean is_old(gpointer name, gpointer attempts, gpointer now) {
    return ((Attempts *) attempts)->first < *(gint64 *) now - LOGIN_LIMIT_TIME;
}

static gboolean count(Attempts *attempts, guint max, gint64 time, gint64 now) {
    if (attempts->n == 0 || attempts->first < now - time) {
        attempts->n = 0;
        attempts->first = now;
    }
    if (attempts->n >= max)
        return FALSE;
    attempts->n++;
    return TRUE;
}

gboolean login_limit_try(LoginLimit *limit, const char *name, gint64 now) {
    Attempts *attempts = g_hash_table_lookup(limit->names, name);

    if (!count(&limit->all, LOGIN_LIMIT_ALL_PER_MINUTE, 60000, now))
        return FALSE;
    if (!attempts) {
        if (g_hash_table_size(limit->names) >= NAMES_MAX)
            g_hash_table_foreach_remove(limit->names, is_old, &now);
        if (g_hash_table_size(limit->names) >= NAMES_MAX)
            return FALSE;
        attempts = g_new0(Attempts, 1);
        g_hash_table_insert(limit->names, g_strdup(name), attempts);
    }
    return count(attempts, LOGIN_LIMIT_FAILURES, LOGIN_LIMIT_TIME, now);
}

void login_limit_forget(LoginLimit *limit, const char *name) {
    g_hash_table_remove(limit->names, name);
}
