/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/uris.h"

#include <string.h>

#include "distro/driver/types.h"

#define DIGEST "SHA256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_understood(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) packages =
            apt_uris_parse("Reading package lists...\n"
                           "'http://deb.example/it's/z_1_all.deb' z_1_all.deb 12 " DIGEST "\n"
                           "'file:/repository/./a_1%3a2_all.deb' a_1%3a2_all.deb 0 " DIGEST "\n",
                    &error);

    g_assert_no_error(error);
    g_assert_cmpuint(packages->len, ==, 2);
    const DistroPackage *first = packages->pdata[0], *second = packages->pdata[1];
    g_assert_cmpstr(first->file, ==, "a_1%3a2_all.deb");
    g_assert_true(first->local && !second->local);
    g_assert_cmpstr(second->file, ==, "z_1_all.deb");
    g_assert_cmpuint(second->size, ==, 12);
    g_assert_cmpstr(second->digest, ==, DIGEST);
    g_assert_cmpstr(first->name, ==, "a");
    g_assert_cmpstr(first->version, ==, "1:2");
    g_assert_cmpstr(first->architecture, ==, "all");
}

/* Local packages may be called as somebody likes. */
static void test_other_names(void) {
    g_autoptr(GPtrArray) packages = apt_uris_parse("'file:/repository/./odd.deb' odd.deb 0 " DIGEST "\n"
                                                   "'file:/repository/./x_1%zz_a_b.deb' x_1%zz_a_b.deb 0 " DIGEST "\n",
            NULL);
    const DistroPackage *first = packages->pdata[0], *second = packages->pdata[1];

    g_assert_cmpstr(first->name, ==, "odd");
    g_assert_cmpstr(first->version, ==, "");
    g_assert_cmpstr(second->name, ==, "x");
    g_assert_cmpstr(second->version, ==, "1%zz");
    g_assert_cmpstr(second->architecture, ==, "a_b");
}

/* A line that was passed over would be a package that nobody checks. */
static void test_refused(void) {
    static const char *const lines[] = {
            "'http://x/a.deb' a.deb 1 MD5Sum:0123456789abcdef0123456789abcdef",
            "'http://x/a.deb' a.deb 1 ",
            "'http://x/a.deb' a.deb 1",
            "'http://x/a.deb' a.deb 1 " DIGEST "0",
            "'http://x/a.deb' ../a.deb 1 " DIGEST,
            "'http://x/a.deb' lists/a.deb 1 " DIGEST,
            "'http://x/a.deb' .deb 1 " DIGEST,
            "'http://x/a.deb' a.deb -1 " DIGEST,
            "'http://x/a.deb' a.deb x " DIGEST,
            "'http://x/a.deb a.deb 1 " DIGEST,
            "'",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(apt_uris_parse(lines[i], &error));
        g_assert_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR);
        g_assert_nonnull(strstr(error->message, lines[i]));
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/apt-uris/understood", test_understood);
    g_test_add_func("/apt-uris/other-names", test_other_names);
    g_test_add_func("/apt-uris/refused", test_refused);
    return g_test_run();
}
