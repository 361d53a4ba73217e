/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>

#include "inspect/boot/command-line.h"

static void test_get(void) {
    static const struct {
        const char *line, *name, *value;
    } cases[] = {
            {"", "usrhash", NULL},
            {"usrhash=ab quiet", "usrhash", "ab"},
            {"quiet usrhash=ab", "usrhash", "ab"},
            {"usrhash=ab usrhash=cd", "usrhash", "cd"},
            {"xusrhash=ab usrhashx=ab", "usrhash", NULL},
            {"a=\"b usrhash=x\" c", "usrhash", NULL},
            {"a=\"b c\"", "a", "b c"},
            {"systemd.image-policy=root=signed", "systemd.image_policy", "root=signed"},
            {"usrhash", "usrhash", NULL},
            {"  a=1\tb=2\n", "b", "2"},
            {"'usrhash=ab'", "usrhash", "ab"},
            {"usrhash='ab cd'", "usrhash", "ab cd"},
            {"x='usrhash=ab", "usrhash", NULL},
            {"\"a'b c'=d\"", "a'b c'", "d"},
            {"'usrhash=\"ab\"'", "usrhash", "\"ab\""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *value = command_line_get(cases[i].line, cases[i].name);
        g_assert_cmpstr(value, ==, cases[i].value);
    }
}

static void test_ambiguity(void) {
    static const char *const plain[] = {"", "a=b c", "a=\"b c\" d", "\"a=b c\" d", "\"a b\"", "a=\"\"", "a.b=c=d\n"};
    static const char *const other[] = {"'a b'", "a='b c'", "a\\ b", "a\"b c\"", "a=b\"c d\"", "a=\"b\"c", "a=\"b",
            "\"a=\"b c\"\"", "a\vb", "a\fb", "a\xc2\xa0usrhash=x", "=\"a b\"", "a=\"b\"\"c\"", "\"", "a \" b"};

    for (gsize i = 0; i < G_N_ELEMENTS(plain); i++)
        g_assert_null(command_line_ambiguity(plain[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(other); i++)
        if (!command_line_ambiguity(other[i]))
            g_test_fail_printf("%s", other[i]);
}

static void test_policy(void) {
    static const struct {
        const char *policy;
        gboolean wants_signed;
    } cases[] = {
            {"usr=signed", TRUE},
            {"usr=signed+absent", FALSE},
            {"root=encrypted:usr=signed:=unused+absent", TRUE},
            {"usr=signed+verity", FALSE},
            {"usr=verity", FALSE},
            {"usr=signed+unprotected", FALSE},
            {"root=signed", FALSE},
            {"=signed", TRUE},
            {"root=verity:=signed", TRUE},
            {"usr=open:=signed", FALSE},
            {"", FALSE},
            {"usr", FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        if (image_policy_wants_signed(cases[i].policy, "usr") != cases[i].wants_signed)
            g_test_fail_printf("%s", cases[i].policy);
}

static void test_dissects(void) {
    g_assert_true(command_line_dissects("root=dissect mount.usr=dissect", "usr"));
    g_assert_true(command_line_dissects("quiet", "usr"));
    g_assert_false(command_line_dissects("mount.usr=/dev/sda1", "usr"));
    g_assert_false(command_line_dissects("root=/dev/sda1", "root"));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/inspect/command-line/get", test_get);
    g_test_add_func("/inspect/command-line/ambiguity", test_ambiguity);
    g_test_add_func("/inspect/command-line/policy", test_policy);
    g_test_add_func("/inspect/command-line/dissects", test_dissects);
    return g_test_run();
}
