/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "login-limit.h"

/* More of them are somebody's who tries names or has many addresses; the oldest go. */
#define KNOWN_MAX 4096

typedef struct {
    guint n;
    gint64 first;
} Attempts;

struct LoginLimit {
    GHashTable *names, *addresses; /* to Attempts */
    Attempts all;
};

LoginLimit *login_limit_new(void) {
    LoginLimit *limit = g_new0(LoginLimit, 1);

    limit->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    limit->addresses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return limit;
}

void login_limit_free(LoginLimit *limit) {
    if (!limit)
        return;
    g_hash_table_unref(limit->names);
    g_hash_table_unref(limit->addresses);
    g_free(limit);
}

static gboolean is_old(gpointer key, gpointer attempts, gpointer now) {
    return ((Attempts *) attempts)->first < *(gint64 *) now - LOGIN_LIMIT_TIME;
}

/* The attempts of KEY, new ones where there are none; NULL: there are too many others. */
static Attempts *find(GHashTable *known, const char *key, gint64 now) {
    Attempts *attempts = g_hash_table_lookup(known, key);

    if (attempts)
        return attempts;
    if (g_hash_table_size(known) >= KNOWN_MAX)
        g_hash_table_foreach_remove(known, is_old, &now);
    if (g_hash_table_size(known) >= KNOWN_MAX)
        return NULL;
    attempts = g_new0(Attempts, 1);
    g_hash_table_insert(known, g_strdup(key), attempts);
    return attempts;
}

static gboolean may_try(Attempts *attempts, guint max, gint64 time, gint64 now) {
    if (attempts && (attempts->n == 0 || attempts->first < now - time))
        *attempts = (Attempts){.first = now};
    return attempts && attempts->n < max;
}

gboolean login_limit_try(LoginLimit *limit, const char *name, const char *address, gint64 now) {
    Attempts *from = find(limit->addresses, address, now);
    Attempts *of = NULL;

    /* An address that may not try makes no names known either. */
    if (!may_try(from, LOGIN_LIMIT_ADDRESS_FAILURES, LOGIN_LIMIT_TIME, now))
        return FALSE;
    of = find(limit->names, name, now);
    if (!may_try(of, LOGIN_LIMIT_FAILURES, LOGIN_LIMIT_TIME, now) ||
            !may_try(&limit->all, LOGIN_LIMIT_ALL_PER_MINUTE, 60000, now))
        return FALSE;
    from->n++;
    of->n++;
    limit->all.n++;
    return TRUE;
}

void login_limit_forget(LoginLimit *limit, const char *name, const char *address) {
    Attempts *from = g_hash_table_lookup(limit->addresses, address);

    g_hash_table_remove(limit->names, name);
    if (from && from->n > 0)
        from->n--;
}
