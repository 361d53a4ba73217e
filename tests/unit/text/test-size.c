/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text/size.h"

static void test_format_size(void) {
    static const struct {
        guint64 bytes;
        const char *text;
    } cases[] = {
            {0, "0 B"},
            {999, "999 B"},
            {1000, "1.0 kB"},
            {999949, "999.9 kB"},
            {999960, "1.0 MB"},
            {403000000, "403.0 MB"},
            {G_MAXUINT64, "18.4 EB"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = text_format_size(cases[i].bytes);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text/format-size", test_format_size);
    return g_test_run();
}
