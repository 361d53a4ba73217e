/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/html/url.h"

static void test_path(void) {
    g_autofree char *plain = url_path("a", "b", NULL);
    g_autofree char *hostile = url_path("../x", "a/b?c#d", "..", "<\">", NULL);

    g_assert_cmpstr(plain, ==, "/a/b");
    g_assert_cmpstr(hostile, ==, "/..%2Fx/a%2Fb%3Fc%23d/-/%3C%22%3E");
    g_assert_true(url_is_local(hostile));
}

static void test_with(void) {
    g_autofree char *one = url_with("/a", "b", "c&d=e");
    g_autofree char *two = url_with(one, "f", "g");

    g_assert_cmpstr(two, ==, "/a?b=c%26d%3De&f=g");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/url/path", test_path);
    g_test_add_func("/url/with", test_with);
    return g_test_run();
}
