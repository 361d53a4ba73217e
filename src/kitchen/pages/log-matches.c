/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log-matches.h"

#include <string.h>

/* Lines that end between FROM and TO. */
static gint64 count_ends(const char *from, const char *to) {
    gint64 n = 0;

    for (const char *at = from; at < to && (at = memchr(at, '\n', to - at)); at++)
        n++;
    return n;
}

/* SIZE bytes with small letters; there may be zeros among them. */
static char *small_letters(const char *text, gsize size) {
    char *small = g_malloc(size + 1);

    for (gsize i = 0; i < size; i++)
        small[i] = g_ascii_tolower(text[i]);
    small[size] = '\0';
    return small;
}

GArray *log_matches(const LogPiece *piece, const char *words, guint max, gint64 *ret_end) {
    GArray *matches = g_array_new(FALSE, FALSE, sizeof(LogMatch));
    gsize size = 0;
    const char *text = g_bytes_get_data(piece->text, &size);
    g_autofree char *wanted = small_letters(words, strlen(words));
    g_autofree char *small = small_letters(text, size);
    const char *found = small, *line = small;
    gint64 number = piece->line;

    *ret_end = piece->end;
    while ((found = memmem(found, size - (found - small), wanted, strlen(wanted)))) {
        const char *start = memrchr(small, '\n', found - small);
        const char *stop = memchr(found, '\n', size - (found - small)) ?: small + size;
        LogMatch match = {0};

        start = start ? start + 1 : small;
        if (matches->len == max) {
            *ret_end = piece->from + (start - small);
            break;
        }
        number += count_ends(line, start);
        line = start;
        match = (LogMatch){.text = text + (start - small),
                .length = stop - start,
                .offset = piece->from + (start - small),
                .number = number};
        g_array_append_val(matches, match);
        found = stop;
    }
    return matches;
}
