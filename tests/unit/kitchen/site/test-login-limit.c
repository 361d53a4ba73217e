/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/site/login-limit.h"

static guint tries(LoginLimit *limit, const char *name, const char *address, gint64 now) {
    guint n = 0;

    while (n < 1000 && login_limit_try(limit, name, address, now))
        n++;
    return n;
}

static void test_names(void) {
    g_autoptr(LoginLimit) limit = login_limit_new();

    g_assert_cmpuint(tries(limit, "ada", "192.0.2.1", 1), ==, LOGIN_LIMIT_FAILURES);
    g_assert_false(login_limit_try(limit, "ada", "192.0.2.2", 1));
    g_assert_true(login_limit_try(limit, "bob", "192.0.2.1", 1));
    g_assert_false(login_limit_try(limit, "ada", "192.0.2.1", LOGIN_LIMIT_TIME));
    g_assert_true(login_limit_try(limit, "ada", "192.0.2.1", LOGIN_LIMIT_TIME + 2));
    login_limit_forget(limit, "ada", "192.0.2.1");
    g_assert_cmpuint(tries(limit, "ada", "192.0.2.1", LOGIN_LIMIT_TIME + 2), ==, LOGIN_LIMIT_FAILURES);
}

static void test_addresses(void) {
    g_autoptr(LoginLimit) limit = login_limit_new();
    guint n = 0;

    for (guint i = 0; i < 100; i++) {
        g_autofree char *name = g_strdup_printf("name%u", i);

        n += login_limit_try(limit, name, "192.0.2.1", 1) ? 1 : 0;
    }
    g_assert_cmpuint(n, ==, LOGIN_LIMIT_ADDRESS_FAILURES);
    /* Others come in, and what was refused has taken nothing from them. */
    g_assert_cmpuint(tries(limit, "name0", "192.0.2.2", 1), ==, LOGIN_LIMIT_FAILURES - 1);
    g_assert_true(login_limit_try(limit, "name99", "192.0.2.2", 1));
    g_assert_true(login_limit_try(limit, "name1", "192.0.2.1", LOGIN_LIMIT_TIME + 2));
}

/* Who logs in rightly all day is not shut out. */
static void test_right(void) {
    g_autoptr(LoginLimit) limit = login_limit_new();

    for (guint i = 0; i < 100; i++) {
        g_assert_true(login_limit_try(limit, "ada", "192.0.2.1", 1));
        login_limit_forget(limit, "ada", "192.0.2.1");
    }
}

static void test_all(void) {
    g_autoptr(LoginLimit) limit = login_limit_new();
    guint n = 0;

    for (guint i = 0; i < 1000; i++) {
        g_autofree char *name = g_strdup_printf("name%u", i);

        n += login_limit_try(limit, name, name, 1) ? 1 : 0;
    }
    g_assert_cmpuint(n, ==, LOGIN_LIMIT_ALL_PER_MINUTE);
    g_assert_true(login_limit_try(limit, "ada", "192.0.2.1", 60002));
    for (guint i = 0; i < 10000; i++) {
        g_autofree char *name = g_strdup_printf("many%u", i);

        n = login_limit_try(limit, name, name, 60003) ? 1 : 0;
    }
    g_assert_cmpuint(n, ==, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/login-limit/names", test_names);
    g_test_add_func("/login-limit/addresses", test_addresses);
    g_test_add_func("/login-limit/right", test_right);
    g_test_add_func("/login-limit/all", test_all);
    return g_test_run();
}
