/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/transfer/pattern.h"

#include "update/transfer/error.h"

static Pattern *make(const char *text) {
    g_autoptr(GError) error = NULL;
    Pattern *pattern = pattern_new(text, &error);

    g_assert_no_error(error);
    return pattern;
}

static void test_wrong(void) {
    static const char *const wrong[] = {
            "", "a", "@", "@v@", "@v@u", "@x_@v", "@v_@v", "a*@v", "@v/b", "@v_\x7f", "@v_ä", "@@v", NULL};

    for (guint i = 0; wrong[i]; i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(pattern_new(wrong[i], &error));
        g_assert_error(error, UPDATE_ERROR, UPDATE_ERROR_CONFIGURATION);
    }
}

static void test_match(void) {
    static const struct {
        const char *pattern, *name, *version; /* NULL: it does not match */
        gint64 left, done;
    } cases[] = {
            {"OS_@v_x86-64.efi", "OS_0.2_x86-64.efi", "0.2", -1, -1},
            {"OS_@v_x86-64.efi", "OS_0.2_arm64.efi", NULL, -1, -1},
            {"OS_@v_x86-64.efi", "OS_0.2_x86-64.efi.zst", NULL, -1, -1},
            {"OS_@v_x86-64.efi", "OS__x86-64.efi", NULL, -1, -1},
            {"OS_@v+@l-@d.efi", "OS_1~rc1+3-0.efi", "1~rc1", 3, 0},
            {"OS_@v+@l-@d.efi", "OS_1+3.efi", NULL, -1, -1},
            {"OS_@v+@l.efi", "OS_1+3.efi", "1", 3, -1},
            {"OS_@v+@l.efi", "OS_1+x.efi", NULL, -1, -1},
            {"OS_@v+@l.efi", "OS_1+99999999999999999999.efi", NULL, -1, -1},
            {"OS_@v", "OS_1/2", NULL, -1, -1},
            {"OS_@v", "OS_1 2", NULL, -1, -1},
            {"OS_@v_verity", "OS_0.1_verity_sig", NULL, -1, -1},
            /* A mark ends where the text behind it first occurs. */
            {"OS_@v_x", "OS_1_x_x", NULL, -1, -1},
            {"a@@b_@v", "a@b_7", "7", -1, -1},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Pattern) pattern = make(cases[i].pattern);
        g_auto(PatternFields) fields;
        pattern_fields_init(&fields);
        g_test_message("%s %s", cases[i].pattern, cases[i].name);
        g_assert_cmpint(pattern_match(pattern, cases[i].name, &fields), ==, cases[i].version != NULL);
        g_assert_cmpstr(fields.version, ==, cases[i].version);
        g_assert_cmpint(fields.tries_left, ==, cases[i].left);
        g_assert_cmpint(fields.tries_done, ==, cases[i].done);
    }
}

static void test_fields(void) {
    g_autoptr(Pattern) pattern = make("@v.@u.@f.@t.@m.@s.@a.@r.@g.@h.raw");
    g_auto(PatternFields) fields;
    const char *name = "5.e5aab4d9-8c96-4ba5-91bd-0ee3d0ce9ef1.1000000000000000.77.644.12.0.1.0."
                       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.raw";

    pattern_fields_init(&fields);
    g_assert_true(pattern_match(pattern, name, &fields));
    g_assert_cmphex(fields.flags, ==, G_GUINT64_CONSTANT(1) << 60);
    g_assert_cmpint(fields.mode, ==, 0644);
    g_assert_cmpint(fields.mtime, ==, 77);
    g_assert_cmpint(fields.read_only, ==, 1);
    g_assert_cmphex(fields.sha256[31], ==, 0xef);
    g_autofree char *again = pattern_format(pattern, &fields, NULL);
    g_assert_cmpstr(again, ==, name);
    g_assert_false(pattern_match(pattern, "5.x.0.77.644.12.0.1.0.0.raw", &fields));
    /* Nobody writes a file that all may write, nor one that runs as root. */
    g_autoptr(Pattern) mode = make("@v.@m");
    g_assert_false(pattern_match(mode, "1.666", &fields));
    g_assert_false(pattern_match(mode, "1.4755", &fields));
}

static void test_format(void) {
    g_autoptr(Pattern) pattern = make("OS_@v+@l-@d.efi");
    g_auto(PatternFields) fields;
    g_autoptr(GError) error = NULL;

    pattern_fields_init(&fields);
    fields.version = g_strdup("0.2");
    g_assert_null(pattern_format(pattern, &fields, &error));
    g_assert_error(error, UPDATE_ERROR, UPDATE_ERROR_CONFIGURATION);
    fields.tries_left = 3;
    fields.tries_done = 0;
    g_autofree char *name = pattern_format(pattern, &fields, NULL);
    g_assert_cmpstr(name, ==, "OS_0.2+3-0.efi");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pattern/wrong", test_wrong);
    g_test_add_func("/pattern/match", test_match);
    g_test_add_func("/pattern/fields", test_fields);
    g_test_add_func("/pattern/format", test_format);
    return g_test_run();
}
