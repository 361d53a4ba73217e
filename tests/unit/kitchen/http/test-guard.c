/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/http/guard.h"

static void test_host(void) {
    static const char *const hosts[] = {"kitchen.example", "127.0.0.1", "[::1]", NULL};
    static const char *const good[] = {
            "kitchen.example", "Kitchen.Example:443", "127.0.0.1:8090", "[::1]:8090", "[::1]"};
    static const char *const bad[] = {"evil.example", "kitchen.example.evil.example",
            "kitchen.example:", "kitchen.example:80x", "kitchen.example:123456", "kitchen.example, evil.example", "",
            "evil.example:80:kitchen.example", "[::1", "[::1]x", "127.0.0.1.evil.example", "user@kitchen.example"};

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(guard_host(hosts, good[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(guard_host(hosts, bad[i]));
    g_assert_false(guard_host(hosts, NULL));
}

static void test_origin(void) {
    const char *host = "kitchen.example:8090";

    g_assert_true(guard_origin(host, "http://kitchen.example:8090", NULL));
    g_assert_true(guard_origin(host, "https://Kitchen.example:8090", "same-origin"));
    g_assert_true(guard_origin(host, NULL, "same-origin"));
    g_assert_false(guard_origin(host, NULL, NULL));
    g_assert_false(guard_origin(host, "null", NULL));
    g_assert_false(guard_origin(host, "http://kitchen.example", NULL));
    g_assert_false(guard_origin(host, "http://kitchen.example:8090.evil.example", NULL));
    g_assert_false(guard_origin(host, "http://kitchen.example:8090", "cross-site"));
    g_assert_false(guard_origin(host, "http://kitchen.example:8090", "same-site"));
    g_assert_false(guard_origin(host, NULL, "none"));
    g_assert_false(guard_origin(host, "ftp://kitchen.example:8090", NULL));
}

static void test_path(void) {
    static const char *const bad[] = {"", "a", "/../a", "/a/%2e%2e/b", "/a/%2E./b", "/a//b", "/a/%2fb", "/a/%00",
            "/a/%0a", "/%ff", "/a/.", "/a%5c..", "/%"};
    g_auto(GStrv) good = guard_path("/a/b%20c/");

    g_assert_nonnull(good);
    g_assert_cmpstr(good[1], ==, "b c");
    g_assert_cmpstr(good[2], ==, "");
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_null(guard_path(bad[i]));
}

static void test_header(void) {
    g_assert_cmpstr(guard_header("plain; value"), ==, "plain; value");
    g_assert_null(guard_header("a\r\nSet-Cookie: x"));
    g_assert_null(guard_header("a\nb"));
    g_assert_null(guard_header("ü"));
    g_assert_null(guard_header(NULL));
}

static void test_client(void) {
    static const char *const cases[][3] = {{"192.0.2.1", NULL, "192.0.2.1"}, {"192.0.2.1", "198.51.100.7", "192.0.2.1"},
            {"127.0.0.1", "198.51.100.7", "198.51.100.7"}, {"::1", "198.51.100.7", "198.51.100.7"},
            {"127.0.0.1", NULL, "127.0.0.1"}, {"127.0.0.1", "nonsense", "127.0.0.1"},
            {"127.0.0.1", "198.51.100.7, 1.2.3.4", "127.0.0.1"}, {NULL, "198.51.100.7", "198.51.100.7"},
            {NULL, NULL, "local"}, {"2001:db8:1:2:3:4:5:6", NULL, "2001:db8:1:2::"},
            {"127.0.0.1", "2001:db8:1:2:ffff::1", "2001:db8:1:2::"}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *client = guard_client(cases[i][0], cases[i][1]);

        g_assert_cmpstr(client, ==, cases[i][2]);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guard/host", test_host);
    g_test_add_func("/guard/origin", test_origin);
    g_test_add_func("/guard/path", test_path);
    g_test_add_func("/guard/header", test_header);
    g_test_add_func("/guard/client", test_client);
    return g_test_run();
}
