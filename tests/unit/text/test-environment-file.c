/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text/environment-file.h"

static void test_parse(void) {
    char *inherited[] = {"HOME=/root", "EMPTY=", NULL};
    g_auto(GStrv) variables = environment_file_parse("# A=comment\n"
                                                     "\n"
                                                     "  A = 1 2  \r\n"
                                                     "B=\"quoted\"\n"
                                                     "C==\n"
                                                     "HOME\n"
                                                     "EMPTY\n"
                                                     "ABSENT\n"
                                                     "A=#3",
            inherited);
    static const char *const expected[] = {
            "A=1 2", "B=\"quoted\"", "C==", "HOME=/root", "EMPTY=", "ABSENT", "A=#3"};

    g_assert_cmpuint(g_strv_length(variables), ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_cmpstr(variables[i], ==, expected[i]);
    g_assert_cmpstr(environment_lookup(variables, "A"), ==, "#3");
    g_assert_cmpstr(environment_lookup(variables, "EMPTY"), ==, "");
    g_assert_null(environment_lookup(variables, "ABSENT"));
    g_assert_null(environment_lookup(variables, "HO"));
}

static void test_nothing(void) {
    g_auto(GStrv) variables = environment_file_parse("", NULL);
    g_assert_cmpuint(g_strv_length(variables), ==, 0);
    g_auto(GStrv) alone = environment_file_parse("A", NULL);
    g_assert_cmpstr(alone[0], ==, "A");
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/environment-file/parse", test_parse);
    g_test_add_func("/environment-file/nothing", test_nothing);
    return g_test_run();
}
