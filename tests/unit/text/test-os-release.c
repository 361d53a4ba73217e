/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text/os-release.h"

static void test_set_appends(void) {
    g_autofree char *text = os_release_set("ID=debian\n", "IMAGE_ID", "Particle");
    g_assert_cmpstr(text, ==, "ID=debian\nIMAGE_ID=\"Particle\"\n");
}

static void test_set_replaces_once(void) {
    g_autofree char *text = os_release_set("IMAGE_ID=a\nID=b\nIMAGE_ID=c\n", "IMAGE_ID", "d");
    g_assert_cmpstr(text, ==, "IMAGE_ID=\"d\"\nID=b\n");
}

static void test_set_without_final_newline(void) {
    g_autofree char *text = os_release_set("ID=b", "X", "d");
    g_assert_cmpstr(text, ==, "ID=b\nX=\"d\"\n");
}

static void test_set_quotes(void) {
    static const char value[] = "a \"b\" $(touch x) `c` \\ 'd' %e";
    g_autofree char *text = os_release_set("ID=b\n", "X", value);
    g_autofree char *back = os_release_get(text, "X");

    g_assert_cmpstr(text, ==, "ID=b\nX=\"a \\\"b\\\" \\$(touch x) \\`c\\` \\\\ 'd' %e\"\n");
    g_assert_cmpstr(back, ==, value);
}

static void test_get(void) {
    const char *text = "ID=debian\nNAME=\"Debian GNU/Linux\"\nIDX=1\n";
    g_autofree char *id = os_release_get(text, "ID");
    g_autofree char *name = os_release_get(text, "NAME");

    g_assert_cmpstr(id, ==, "debian");
    g_assert_cmpstr(name, ==, "Debian GNU/Linux");
    g_assert_null(os_release_get(text, "VERSION_ID"));
}

/* os-release(5): a shell could read it. */
static void test_parse(void) {
    g_autoptr(GHashTable) table = os_release_parse("# ID=comment\n"
                                                   "  ID = first\n"
                                                   "\n"
                                                   "no assignment\n"
                                                   "ID='the last'  \r\n"
                                                   "ESCAPED=\"a \\\"b\\\" \\$c\"\n"
                                                   "EMPTY=\n"
                                                   "OPEN=\"never closed\n"
                                                   "EQUALS=a=b");

    g_assert_cmpuint(g_hash_table_size(table), ==, 5);
    g_assert_cmpstr(g_hash_table_lookup(table, "ID"), ==, "the last");
    g_assert_cmpstr(g_hash_table_lookup(table, "ESCAPED"), ==, "a \"b\" $c");
    g_assert_cmpstr(g_hash_table_lookup(table, "EMPTY"), ==, "");
    g_assert_cmpstr(g_hash_table_lookup(table, "OPEN"), ==, "\"never closed");
    g_assert_cmpstr(g_hash_table_lookup(table, "EQUALS"), ==, "a=b");
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/os-release/set-appends", test_set_appends);
    g_test_add_func("/os-release/set-replaces", test_set_replaces_once);
    g_test_add_func("/os-release/set-unterminated", test_set_without_final_newline);
    g_test_add_func("/os-release/set-quotes", test_set_quotes);
    g_test_add_func("/os-release/get", test_get);
    g_test_add_func("/os-release/parse", test_parse);
    return g_test_run();
}
