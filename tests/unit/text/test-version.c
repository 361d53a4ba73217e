/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text/version.h"

#include <glib.h>

static void test_order(void) {
    /* Each list rises; the examples of the specification are among them. */
    static const char *const rising[][8] = {
            {"11~1", "11", "11.1", "12", NULL},
            {"~", "", "-", "^", NULL},
            {"1~rc1", "1~rc2", "1", "1-1", "1-2", "1^post", "1.0", NULL},
            {"122.1", "123~rc1-1", "123", "123-a", "123-a.1", "123-1", "123-1.1", "123^post1"},
            {"123^post1", "123.a-1", "123.1-1", "123a-1", "124-1", NULL},
            {"9", "10", "010.1", "99999999999999999999", "100000000000000000000", NULL},
            {"a", "ab", "b", NULL},
    };
    for (guint l = 0; l < G_N_ELEMENTS(rising); l++)
        for (guint i = 0; i < 8 && rising[l][i]; i++)
            for (guint j = i; j < 8 && rising[l][j]; j++) {
                int order = version_compare(rising[l][i], rising[l][j]);
                if (i == j)
                    g_assert_cmpint(order, ==, 0);
                else {
                    if (order >= 0)
                        g_test_message("%s is not below %s", rising[l][i], rising[l][j]);
                    g_assert_cmpint(order, <, 0);
                    g_assert_cmpint(version_compare(rising[l][j], rising[l][i]), >, 0);
                }
            }
}

static void test_equal(void) {
    static const char *const equal[][2] = {{"1.0", "1.00"}, {"1_2", "1+2"}, {"v1", "v01"}, {"", "_"}};
    for (guint i = 0; i < G_N_ELEMENTS(equal); i++)
        g_assert_cmpint(version_compare(equal[i][0], equal[i][1]), ==, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/versions/order", test_order);
    g_test_add_func("/versions/equal", test_equal);
    return g_test_run();
}
