/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/pages/log-matches.h"

#include <glib/gstdio.h>
#include <string.h>

static LogPiece piece_of(const char *text, gsize size, gint64 from, gint64 line) {
    return (LogPiece){.text = g_bytes_new(text, size),
            .from = from,
            .end = from + (gint64) size,
            .total = from + (gint64) size,
            .line = line};
}

static void check(const LogPiece *piece, const char *words, guint max, const char *numbers, gint64 end) {
    gint64 found_end = 0;
    g_autoptr(GArray) matches = log_matches(piece, words, max, &found_end);
    g_autoptr(GString) found = g_string_new(NULL);

    for (guint i = 0; i < matches->len; i++) {
        const LogMatch *match = &g_array_index(matches, LogMatch, i);

        g_string_append_printf(found, "%" G_GINT64_FORMAT "@%" G_GINT64_FORMAT ":%.*s|", match->number, match->offset,
                (int) match->length, match->text);
    }
    g_assert_cmpstr(found->str, ==, numbers);
    g_assert_cmpint(found_end, ==, end);
}

static void test_lines(void) {
    static const char text[] = "One error\ntwo\nERROR error\n\nlast errör";
    g_auto(LogPiece) piece = piece_of(text, strlen(text), 0, 1);

    check(&piece, "error", 10, "1@0:One error|3@14:ERROR error|", 38);
    check(&piece, "Error", 1, "1@0:One error|", 14);
    check(&piece, "errör", 10, "5@27:last errör|", 38);
    check(&piece, "two\nERROR", 10, "2@10:two|", 38);
    check(&piece, "nothing", 10, "", 38);
    check(&piece, "e", 2, "1@0:One error|3@14:ERROR error|", 27);
}

/* A piece from the middle of a log counts from where it is; bytes are bytes. */
static void test_middle(void) {
    static const char text[] = "a\0b\nx\xff A\0B\n";
    g_auto(LogPiece) piece = piece_of(text, sizeof(text) - 1, 1000, 41);
    gint64 end = 0;
    g_autoptr(GArray) matches = log_matches(&piece, "x", 10, &end);
    const LogMatch *match = &g_array_index(matches, LogMatch, 0);

    g_assert_cmpuint(matches->len, ==, 1);
    g_assert_cmpint(match->number, ==, 42);
    g_assert_cmpint(match->offset, ==, 1004);
    g_assert_cmpuint(match->length, ==, 6);
}

static void test_empty(void) {
    g_auto(LogPiece) piece = piece_of("", 0, 0, 1);

    check(&piece, "x", 10, "", 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log-matches/lines", test_lines);
    g_test_add_func("/log-matches/middle", test_middle);
    g_test_add_func("/log-matches/empty", test_empty);
    return g_test_run();
}
