/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/values/ini.h"

#include <string.h>

static gboolean counts(const char *section) {
    return strcmp(section, "A") == 0 || strcmp(section, "B") == 0;
}

/* The entries as "SECTION/NAME=VALUE@LINE;", ends of sections as "SECTION/@LINE;", or "error@LINE". */
static char *describe(const char *text) {
    g_autoptr(GError) error = NULL;
    guint line = 0;
    g_autoptr(IniFile) file = ini_parse(text, strlen(text), counts, &line, &error);
    if (!file) {
        g_assert_nonnull(error);
        return g_strdup_printf("error@%u", line);
    }
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < file->entries->len; i++) {
        const IniEntry *entry = &g_array_index(file->entries, IniEntry, i);
        if (entry->name)
            g_string_append_printf(out, "%s/%s=%s@%u;", entry->section, entry->name, entry->value, entry->line);
        else
            g_string_append_printf(out, "%s/@%u;", entry->section, entry->line);
    }
    return g_string_free(out, FALSE);
}

static void test_lines(void) {
    static const struct {
        const char *text, *expected;
    } cases[] = {
            {"", ""},
            {"# only a comment\n\n", ""},
            {"[A]\nx=1\n", "A/x=1@2;A/@1;"},
            {"[A]\r\nx = 1 \r\n", "A/x=1@2;A/@1;"},
            {"[A]\nx=1", "A/x=1@2;A/@1;"},
            {"[ A ]\nx=a=b\n", "A/x=a=b@2;A/@1;"},
            {"[A]\nx=1\n\n  2 \n\t3\ny=4\n", "A/x=1\n2\n3@2;A/y=4@6;A/@1;"},
            {"[A]\nx=1 # one\n  # nothing\n  2\n", "A/x=1\n2@2;A/@1;"},
            {"[A]\nx=\n  [B]\n", "A/x=\n[B]@2;A/@1;"},
            {"[A]\n  x=1\n", "A/x=1@2;A/@1;"},
            {"[A]\nx=\"#\"\n", "A/x=\"@2;A/@1;"},
            {"  [A]\n  x=1\n    2\n", "A/x=1\n2@2;A/@1;"},
            {"[A]\nx=1\n[B]\ny=2\n[A]\nz=3\n", "A/x=1@2;A/@1;B/y=2@4;B/@3;A/z=3@6;A/@5;"},
            {"[X-Other]\nanything goes\n[A]\nx=1\n", "A/x=1@4;A/@3;"},
            {"[A]\nx=\\\ny=2\n", "A/x=\\@2;A/y=2@3;A/@1;"},
            {"[A]\n;x=1\n", "A/;x=1@2;A/@1;"},
            {"x=1\n[A]\n", "error@1"},
            {"[A]\nx\n", "error@2"},
            {"[A]\n=1\n", "error@2"},
            {"[A\n", "error@1"},
            {"[]\n", "error@1"},
            {"[ ]\n", "error@1"},
            {"[X-Other]\nx\n[B\n", "error@3"},
            {"[A]\nx=\xff\n", "error@1"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *result = describe(cases[i].text);
        g_assert_cmpstr(result, ==, cases[i].expected);
    }
}

/* A parser of a buffer does not need a terminator, and refuses NUL bytes. */
static void test_buffer(void) {
    static const char text[] = {'[', 'A', ']', '\n', 'x', '=', '1', 'y'};
    guint line;
    g_autoptr(IniFile) file = ini_parse(text, 7, counts, &line, NULL);
    g_assert_cmpstr(g_array_index(file->entries, IniEntry, 0).value, ==, "1");
    g_assert_null(ini_parse("[A]\nx=\0\n", 8, counts, &line, NULL));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/syntax/lines", test_lines);
    g_test_add_func("/syntax/buffer", test_buffer);
    return g_test_run();
}
