/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/sources.h"
#include "distro/driver/types.h"

static void test_one_line(void) {
    g_auto(AptHostMirrors) mirrors = {};

    apt_host_mirrors_parse("# deb http://commented.example/debian x main\n"
                           "deb [arch=amd64 signed-by=/k.gpg] http://one.example/debian/ stable main\n"
                           "deb http://two.example/debian stable main\n"
                           "deb http://one.example/debian-security stable-security main\n",
            FALSE, "debian", &mirrors);
    g_assert_cmpstr(mirrors.archive, ==, "http://one.example/debian");
    g_assert_cmpstr(mirrors.security, ==, "http://one.example/debian-security");
}

static void test_deb822(void) {
    g_auto(AptHostMirrors) mirrors = {};

    apt_host_mirrors_parse("Types: deb\nURIs: http://one.example/ubuntu http://two.example/mirror/debian\n"
                           "Suites: stable\n\nTypes: deb\nuris: http://two.example/debian-security/\n",
            TRUE, "debian", &mirrors);
    g_assert_cmpstr(mirrors.archive, ==, "http://two.example/mirror/debian");
    g_assert_cmpstr(mirrors.security, ==, "http://two.example/debian-security");
}

static void test_nothing(void) {
    g_auto(AptHostMirrors) mirrors = {};

    apt_host_mirrors_parse("deb cdrom:[x]/debian stable main\ndeb\n\nURIs:\n", FALSE, "debian", &mirrors);
    g_assert_null(mirrors.archive);
    g_assert_null(mirrors.security);
}

static ImageConfig debian(const char *release, const char *mirror) {
    static char *none[] = {NULL};
    return (ImageConfig){.distribution = DISTRIBUTION_DEBIAN,
            .release = (char *) release,
            .mirror = (char *) mirror,
            .repositories = none,
            .prepare_scripts = none,
            .build_scripts = none};
}

static void test_sources(void) {
    ImageConfig config = debian("trixie", "http://mirror.example/");
    g_autofree char *text = apt_sources(&config, APT_SOURCES_FOR_BUILD, NULL);

    g_assert_nonnull(text);
    g_assert_nonnull(strstr(text, "URIs: http://mirror.example/debian\nSuites: trixie\nComponents: main\n"));
    g_assert_nonnull(strstr(text, "Suites: trixie-security\n"));
    g_assert_nonnull(strstr(text, "Suites: trixie-updates\n"));
    g_assert_null(strstr(text, "debug"));
    g_assert_null(strstr(text, "Trusted"));
}

static void test_unstable_has_one_suite(void) {
    ImageConfig config = debian("sid", "http://mirror.example");
    g_autofree char *text = apt_sources(&config, APT_SOURCES_FOR_BUILD, NULL);

    g_assert_nonnull(strstr(text, "Suites: sid\n"));
    g_assert_null(strstr(text, "sid-"));
}

static void test_sources_for_scripts(void) {
    static char *scripts[] = {(char *) "/x", NULL};
    ImageConfig config = debian("sid", "http://mirror.example");
    g_autofree char *image = apt_sources(&config, APT_SOURCES_FOR_IMAGE, NULL), *text = NULL;

    g_assert_nonnull(strstr(image, "Types: deb deb-src\n"));
    config.build_scripts = scripts;
    text = apt_sources(&config, APT_SOURCES_FOR_BUILD, NULL);
    g_assert_nonnull(strstr(text, "Types: deb deb-src\n"));
}

static void test_ubuntu(void) {
    ImageConfig config = debian("noble", "http://mirror.example/ubuntu/");

    config.distribution = DISTRIBUTION_UBUNTU;
    config.snapshot = (char *) "20260101T000000Z";
    g_autofree char *text = apt_sources(&config, APT_SOURCES_FOR_BUILD, NULL);
    g_assert_nonnull(strstr(text, "URIs: http://mirror.example/ubuntu\nSuites: noble\nComponents: main\n"
                                  "Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg\n"
                                  "Snapshot: 20260101T000000Z\n"));
    g_assert_nonnull(strstr(text, "URIs: http://mirror.example/ubuntu\nSuites: noble-security\n"));
    g_assert_nonnull(strstr(text, "Suites: noble-updates\n"));
}

static void test_kali(void) {
    ImageConfig config = debian("kali-rolling", "http://mirror.example/kali");

    config.distribution = DISTRIBUTION_KALI;
    g_autofree char *text = apt_sources(&config, APT_SOURCES_FOR_BUILD, NULL);
    g_assert_cmpstr(text, ==,
            "Types: deb\nURIs: http://mirror.example/kali\nSuites: kali-rolling\nComponents: main\n"
            "Signed-By: /usr/share/keyrings/kali-archive-keyring.gpg\n\n");
    config.snapshot = (char *) "20260101T000000Z";
    g_assert_null(apt_sources(&config, APT_SOURCES_FOR_BUILD, NULL));
}

static void test_local_mirror_replaces_all(void) {
    ImageConfig config = debian("trixie", NULL);
    config.local_mirror = (char *) "file:///packages";
    g_autofree char *text = apt_sources(&config, APT_SOURCES_FOR_BUILD, NULL);

    g_assert_cmpstr(text, ==,
            "Types: deb\nURIs: file:///packages\nSuites: trixie\nComponents: main\nTrusted: yes\n\n");
}

static void test_snapshot_needs_mirror(void) {
    ImageConfig config = debian("trixie", NULL);
    g_autoptr(GError) error = NULL;

    config.snapshot = (char *) "20260101T000000Z";
    g_assert_null(apt_sources(&config, APT_SOURCES_FOR_BUILD, &error));
    g_assert_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR);
    g_assert_nonnull(strstr(error->message, "Mirror="));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/apt-sources/one-line", test_one_line);
    g_test_add_func("/apt-sources/deb822", test_deb822);
    g_test_add_func("/apt-sources/nothing", test_nothing);
    g_test_add_func("/apt-sources/sources", test_sources);
    g_test_add_func("/apt-sources/unstable", test_unstable_has_one_suite);
    g_test_add_func("/apt-sources/for-scripts", test_sources_for_scripts);
    g_test_add_func("/apt-sources/ubuntu", test_ubuntu);
    g_test_add_func("/apt-sources/kali", test_kali);
    g_test_add_func("/apt-sources/local-mirror", test_local_mirror_replaces_all);
    g_test_add_func("/apt-sources/snapshot", test_snapshot_needs_mirror);
    return g_test_run();
}
