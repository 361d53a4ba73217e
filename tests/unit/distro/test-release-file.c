/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/release-file.h"

#include "distro/snapshot.h"

static void test_dates(void) {
    static const struct {
        const char *text;
        gint64 seconds;
    } cases[] = {
            {"Tue, 14 Nov 2023 22:13:20 UTC", 1700000000},
            {"Tue, 14 Nov 2023 22:13:20 +0000", 1700000000},
            {"14 Nov 2023 22:13:20 GMT", 1700000000},
            {"Thu, 01 Jan 1970 00:00:00 UTC", 0},
            {"Tue, 14 Nov 2023 22:13:20 CET", -1},
            {"Tue, 14 Nov 2023 22:13:20", -1},
            {"Tue, 31 Feb 2023 22:13:20 UTC", -1},
            {"Tue, 14 Nox 2023 22:13:20 UTC", -1},
            {"Tue, 14 Nov 2023 24:13:20 UTC", -1},
            {"Tue, 14 Nov 2023 22:13:-1 UTC", -1},
            {"", -1},
            {",", -1},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(release_file_parse_date(cases[i].text), ==, cases[i].seconds);
}

static void test_fields(void) {
    g_auto(ReleaseFile) release = {};

    release_file_parse("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Test\nSuite: trixie\n"
                       "Date: Tue, 14 Nov 2023 22:13:20 UTC\nSHA256:\n Origin: other\n",
            &release);
    g_assert_cmpstr(release.origin, ==, "Test");
    g_assert_cmpstr(release.suite, ==, "trixie");
    g_assert_cmpint(release.date, ==, 1700000000);
    g_assert_cmpint(release.valid_until, ==, -1);
    g_assert_null(release.valid_until_text);
}

static void test_snapshots(void) {
    static const struct {
        Distribution distribution;
        const char *text, *name; /* NULL: refused */
    } cases[] = {
            {DISTRIBUTION_DEBIAN, "{\"result\": {\"debian\": [\"a\", \"20260102T030405Z\"]}}",
                    "20260102T030405Z"},
            {DISTRIBUTION_DEBIAN, "{\"result\": {\"debian\": [1]}}", NULL},
            {DISTRIBUTION_DEBIAN, "{\"result\": {\"debian\": [\"../../x\"]}}", NULL},
            {DISTRIBUTION_DEBIAN, "{\"result\": {\"debian\": []}}", NULL},
            {DISTRIBUTION_DEBIAN, "[]", NULL},
            {DISTRIBUTION_UBUNTU, "Date: Thu, 25 Sep 2025 06:12:19 UTC\n", "20250925T061219Z"},
            {DISTRIBUTION_UBUNTU, "Date: never\n", NULL},
            {DISTRIBUTION_ARCH, "1767225600\n", "2026/01/01"},
            {DISTRIBUTION_ARCH, "-1", NULL},
            {DISTRIBUTION_OPENSUSE, "20260101\n", "20260101"},
            {DISTRIBUTION_OPENSUSE, "<html>\033[2J</html>", NULL},
            {DISTRIBUTION_FEDORA, "Fedora-43-20260101.0\n", "20260101.0"},
            {DISTRIBUTION_CENTOS, "[product]\nid = CentOS-Stream-43-20260101.1\n", "20260101.1"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *name = snapshot_parse_answer(cases[i].distribution, "43", cases[i].text, &error);
        g_assert_cmpstr(name, ==, cases[i].name);
        g_assert_true(!name == !!error);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/release-file/dates", test_dates);
    g_test_add_func("/release-file/fields", test_fields);
    g_test_add_func("/release-file/snapshots", test_snapshots);
    return g_test_run();
}
