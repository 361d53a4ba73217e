/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/language/suggest.h"

#include <string.h>

#include "recipe/language/settings.h"

#define LONGEST 63

/* Least number of letters to add, drop, change or swap with the next, in any case (Damerau). */
static guint distance(const char *a, const char *b) {
    gsize m = strlen(a), n = strlen(b);
    guint rows[3][LONGEST + 2], *before = rows[0], *above = rows[1], *row = rows[2];
    if (m > LONGEST || n > LONGEST)
        return G_MAXUINT;
    for (gsize j = 0; j <= n; j++)
        above[j] = j;
    for (gsize i = 1; i <= m; i++) {
        row[0] = i;
        for (gsize j = 1; j <= n; j++) {
            char x = g_ascii_tolower(a[i - 1]), y = g_ascii_tolower(b[j - 1]);
            row[j] = MIN(MIN(row[j - 1], above[j]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == g_ascii_tolower(b[j - 2]) && y == g_ascii_tolower(a[i - 2]))
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
        guint *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[n];
}

void suggestion_offer(Suggestion *suggestion, const char *candidate) {
    /* One slip in three letters is a slip; more is another word. */
    guint most = MIN((strlen(suggestion->wanted) + 2) / 3, 4);
    guint found = distance(suggestion->wanted, candidate);
    if (found > most || (suggestion->best && found >= suggestion->distance))
        return;
    suggestion->best = candidate;
    suggestion->distance = found;
}

char *suggestion_text(const Suggestion *suggestion, const char *prefix, const char *suffix) {
    if (!suggestion->best)
        return g_strdup("");
    return g_strdup_printf("; did you mean %s%s%s?", prefix, suggestion->best, suffix);
}

char *suggest_setting(const char *name) {
    Suggestion suggestion = {.wanted = name};
    for (int id = 0; id < _SETTING_MAX; id++)
        suggestion_offer(&suggestion, settings[id].name);
    return suggestion_text(&suggestion, "", "=");
}
