/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The two grammars of values side by side: what one takes, the other may refuse or read otherwise. */

#include "text/recipe-values.h"
#include "text/repart-values.h"

static void test_booleans(void) {
    static const struct {
        const char *text;
        int recipe, repart; /* -1: none */
    } cases[] = {
            {"yes", 1, 1}, {"T", 1, 1}, {"On", 1, 1}, {"1", 1, 1}, {"always", 1, -1}, {"no", 0, 0}, {"F", 0, 0},
            {"off", 0, 0}, {"0", 0, 0}, {"never", 0, -1}, {"", -1, -1}, {"2", -1, -1}, {" yes", -1, -1},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gboolean on = FALSE;
        g_assert_cmpint(recipe_boolean_parse(cases[i].text, &on) ? on : -1, ==, cases[i].recipe);
        g_assert_cmpint(repart_boolean_parse(cases[i].text, &on) ? on : -1, ==, cases[i].repart);
    }
}

static void test_sizes(void) {
    static const struct {
        const char *text;
        gint64 recipe, repart; /* -1: none */
    } cases[] = {
            {"4096", 4096, 4096}, {"1K", 4096, 1024}, {"1.5G", 1610612736, 1610612736}, {"5000", 8192, 5000},
            {"1e3", 4096, -1}, {"1G512M", -1, 1610612736}, {"512M1G", -1, -1}, {"1T", -1, G_GINT64_CONSTANT(1) << 40},
            {"512B", -1, 512}, {"0", -1, 0}, {"-1", -1, -1}, {"", -1, -1}, {"nan", -1, -1}, {"0x10", -1, -1},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 size = -1;
        guint64 bytes = 0;
        gboolean good = recipe_size_parse(cases[i].text, &size) == RECIPE_SIZE_GOOD;
        g_assert_cmpint(good ? size : -1, ==, cases[i].recipe);
        good = repart_size_parse(cases[i].text, &bytes);
        g_assert_cmpint(good ? (gint64) bytes : -1, ==, cases[i].repart);
    }
}

static void test_why_no_size(void) {
    gint64 size;
    g_assert_cmpint(recipe_size_parse("x", &size), ==, RECIPE_SIZE_NOT_A_NUMBER);
    g_assert_cmpint(recipe_size_parse("0", &size), ==, RECIPE_SIZE_OUT_OF_RANGE);
    g_assert_cmpint(recipe_size_parse("1e30G", &size), ==, RECIPE_SIZE_OUT_OF_RANGE);
}

static void test_numbers(void) {
    gint64 number;
    guint64 magnitude;

    g_assert_true(recipe_integer_parse("-12 ", 10, &number));
    g_assert_cmpint(number, ==, -12);
    g_assert_true(recipe_integer_parse("0o755", 8, &number));
    g_assert_cmpint(number, ==, 0755);
    g_assert_false(recipe_integer_parse("0x10", 10, &number));
    g_assert_false(recipe_integer_parse("99999999999999999999", 10, &number));

    g_assert_true(repart_signed_parse("-0x10", -16, 0, &number));
    g_assert_cmpint(number, ==, -16);
    g_assert_false(repart_signed_parse("-17", -16, 0, &number));
    g_assert_true(repart_unsigned_parse("0b101", 5, &magnitude));
    g_assert_cmpuint(magnitude, ==, 5);
    g_assert_true(repart_unsigned_parse("010", 8, &magnitude));
    g_assert_cmpuint(magnitude, ==, 8);
    g_assert_false(repart_unsigned_parse("6 ", 8, &magnitude));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/grammars/booleans", test_booleans);
    g_test_add_func("/grammars/sizes", test_sizes);
    g_test_add_func("/grammars/why-no-size", test_why_no_size);
    g_test_add_func("/grammars/numbers", test_numbers);
    return g_test_run();
}
