/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "kitchen/client/events.h"

static gboolean note(gpointer user, const char *name, const char *data) {
    g_string_append_printf(user, "%s[%s]", name, data);
    return strcmp(name, "end") != 0;
}

/* However the bytes are cut, the events are the same. */
static void test_pieces(void) {
    const char *text =
            "retry: 2000\n\n: still here\n\nid: 7\ndata: one\ndata: two: 2\n\nid:9\r\ndata:three\r\n\r\nevent: end\ndata: done\n\n"
            "data: never\n\n";

    for (gsize size = 1; size < 40; size++) {
        g_autoptr(GString) seen = g_string_new(NULL);
        g_autoptr(EventReader) reader = event_reader_new(note, seen);
        gboolean more = TRUE;

        for (gsize at = 0; more && at < strlen(text); at += size)
            more = event_reader_feed(reader, text + at, MIN(size, strlen(text) - at));
        g_assert_false(more);
        g_assert_cmpstr(seen->str, ==, "message[one\ntwo: 2]message[three]end[done]");
        g_assert_cmpstr(event_reader_last_id(reader), ==, "9");
    }
}

static void test_endless(void) {
    g_autofree char *text = g_strnfill(1024 * 1024, 'x');
    g_autoptr(GString) seen = g_string_new(NULL);
    g_autoptr(EventReader) reader = event_reader_new(note, seen);
    guint n = 0;

    while (event_reader_feed(reader, text, 1024 * 1024))
        g_assert_cmpuint(++n, <, 10);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/events/pieces", test_pieces);
    g_test_add_func("/events/endless", test_endless);
    return g_test_run();
}
