/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events/printable.h"
#include "events/redact.h"

#include <string.h>

static const struct {
    const char *line, *expected;
} lines[] = {
        {"plain words, \xc3\xa4", "plain words, \xc3\xa4"},
        {"a\tb", "a b"},
        {"trailing \r", "trailing"},
        {"\033[31;1mred\033[0m", "red"},
        {"\033]0;title\aafter", "after"},
        {"\033]8;;https://x\033\\link", "link"},
        {"\033cgone", "gone"},
        {"\033[", ""},
        {"\033", ""},
        {"bell\a and \x08", "bell\xef\xbf\xbd and \xef\xbf\xbd"},
        {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xc2\x9b"
         "2J",
                "\xef\xbf\xbd"
                "2J"},
        {"\xe2\x80\xae"
         "evil",
                "\xef\xbf\xbd"
                "evil"},
};

static void test_lines(void) {
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *shown = printable_line(lines[i].line);
        g_assert_cmpstr(shown, ==, lines[i].expected);
    }
}

/* A line as long as a film: where it begins and where it ends, and no half of a secret. */
static void test_long_line(void) {
    for (guint before = 0; before < 400; before += 7) {
        g_autoptr(GString) line = g_string_new("begin ");
        for (guint i = 0; i < before; i++)
            g_string_append_c(line, 'x');
        g_string_append(line, " password=hunter2hunter2 ");
        for (guint i = 0; i < 5000; i++)
            g_string_append_c(line, 'y');
        g_string_append(line, " end");
        g_autofree char *shown = printable_line(line->str);
        g_assert_true(g_str_has_prefix(shown, "begin ") && g_str_has_suffix(shown, " end"));
        g_assert_cmpint(strlen(shown), <, 320);
        g_assert_null(strstr(shown, "hunter"));
    }
}

static void test_tail(void) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < 100000; i++)
        g_string_append_printf(text, "line %u\r\n", i);
    g_string_append(text, "\n\n");
    g_autofree char *shown = printable_tail(text->str, text->len);
    g_assert_true(g_str_has_prefix(shown, "\n  ") && g_str_has_suffix(shown, "\n  line 99999"));
    g_auto(GStrv) rows = g_strsplit(shown, "\n", -1);
    g_assert_cmpint(g_strv_length(rows), <, 24);

    const char binary[] = "\0\1\2word\0\0";
    g_autofree char *words = printable_tail(binary, sizeof binary - 1);
    g_assert_nonnull(strstr(words, "word"));
    g_assert_null(strpbrk(words, "\1\2"));
    g_autofree char *nothing = printable_tail("\n \n", 3);
    g_assert_cmpstr(nothing, ==, "");
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/printable/lines", test_lines);
    g_test_add_func("/printable/long-line", test_long_line);
    g_test_add_func("/printable/tail", test_tail);
    return g_test_run();
}
