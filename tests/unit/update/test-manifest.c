/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/source/manifest.h"

#include <string.h>

#include "update/transfer/error.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_good(void) {
    static const char text[] = DIGEST "  b.raw\n" OTHER " *a b.efi\n" DIGEST " *b.raw\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(Manifest) manifest = manifest_parse(text, strlen(text), &error);

    g_assert_no_error(error);
    g_assert_cmpuint(manifest_get_names(manifest)->len, ==, 2);
    g_assert_cmpstr(manifest_get_names(manifest)->pdata[0], ==, "a b.efi");
    g_assert_cmphex(manifest_find(manifest, "a b.efi")[0], ==, 0x11);
    g_assert_cmphex(manifest_find(manifest, "b.raw")[31], ==, 0xef);
    g_assert_null(manifest_find(manifest, "c"));
}

static void test_wrong(void) {
    static const char *const wrong[] = {"x", DIGEST, DIGEST "  ", DIGEST " a", DIGEST "  ../a", DIGEST "  a/b",
            DIGEST "  .a", DIGEST "  a\x01", DIGEST "  a\xff", DIGEST "  a\n" OTHER "  a", "\n" DIGEST "  a",
            "g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef  a", "\\" DIGEST "  a\\nb", NULL};

    for (guint i = 0; wrong[i]; i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(manifest_parse(wrong[i], strlen(wrong[i]), &error));
        g_assert_error(error, UPDATE_ERROR, UPDATE_ERROR_UNTRUSTED);
    }
    g_assert_null(manifest_parse("a\0b", 3, NULL));
}

static void test_freshness(void) {
    static const struct {
        const char *name;
        gint64 now;
        int code; /* -1: fresh */
    } cases[] = {
            {"BEST-BEFORE-2026-11-30", 1796083199, -1}, /* its last second */
            {"BEST-BEFORE-2026-11-30", 1796083200, UPDATE_ERROR_STALE},
            {"BEST-BEFORE-2026-13-30", 0, UPDATE_ERROR_UNTRUSTED},
            {"BEST-BEFORE-2026-11", 0, UPDATE_ERROR_UNTRUSTED},
            {"BEST-BEFORE-", 0, UPDATE_ERROR_UNTRUSTED},
            {"best-before-2000-01-01", 1796083200, -1},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = g_strconcat(DIGEST "  ", cases[i].name, "\n", NULL);
        g_autoptr(Manifest) manifest = manifest_parse(text, strlen(text), NULL);
        g_assert_cmpint(manifest_check_freshness(manifest, cases[i].now, &error), ==, cases[i].code < 0);
        if (cases[i].code >= 0)
            g_assert_error(error, UPDATE_ERROR, cases[i].code);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/manifest/good", test_good);
    g_test_add_func("/manifest/wrong", test_wrong);
    g_test_add_func("/manifest/freshness", test_freshness);
    return g_test_run();
}
