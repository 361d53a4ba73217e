/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/hex.h"

static void test_encode(void) {
    g_autofree char *text = hex_encode("\x00\x0f\xf0\xa5", 4);
    g_assert_cmpstr(text, ==, "000ff0a5");
    g_autofree char *nothing = hex_encode(NULL, 0);
    g_assert_cmpstr(nothing, ==, "");
}

static void test_decode(void) {
    g_autoptr(GBytes) bytes = hex_decode("00ffA5", -1);
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), "\x00\xff\xa5", 3);
    g_autoptr(GBytes) start = hex_decode("00ffA5", 2);
    g_assert_cmpuint(g_bytes_get_size(start), ==, 1);
    g_assert_null(hex_decode("abc", -1));
    g_assert_null(hex_decode("zz", -1));
    g_autoptr(GBytes) nothing = hex_decode("", -1);
    g_assert_cmpuint(g_bytes_get_size(nothing), ==, 0);
}

static void test_is_lower(void) {
    g_assert_true(hex_is_lower("00ff", 4));
    g_assert_false(hex_is_lower("00ff", 5));
    g_assert_false(hex_is_lower("00ff0", 4));
    g_assert_false(hex_is_lower("00fF", 4));
    g_assert_false(hex_is_lower("00 f", 4));
    g_assert_true(hex_is_lower("", 0));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hex/encode", test_encode);
    g_test_add_func("/hex/decode", test_decode);
    g_test_add_func("/hex/is-lower", test_is_lower);
    return g_test_run();
}
