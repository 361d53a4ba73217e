/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/family/family.h"

#include <string.h>

#include "recipe/result/image-config.h"

static char *none[] = {NULL};

static ImageConfig config_of(Distribution distribution, const char *release) {
    return (ImageConfig){.distribution = distribution,
            .release = (char *) release,
            .architecture = ARCHITECTURE_X86_64,
            .mirror = (char *) "http://m/",
            .packages = none,
            .repositories = none,
            .repository_key_check = TRUE};
}

static void assert_repositories(const ImageConfig *config, const char *const *parts) {
    g_autoptr(GError) error = NULL;
    g_autofree char *text = rpm_family_repositories(config, "file:///key\nfile:///other\n", &error);

    g_assert_no_error(error);
    for (; *parts; parts++)
        if (!strstr(text, *parts))
            g_error("no \"%s\" in:\n%s", *parts, text);
    g_assert_nonnull(strstr(text, "gpgkey=file:///key\n       file:///other\n"));
}

static void test_addresses(void) {
    static const struct {
        Distribution distribution;
        const char *release, *snapshot, *parts[4];
    } cases[] = {
            {DISTRIBUTION_FEDORA, "43", NULL,
                    {"[fedora]\nname=fedora\nbaseurl=http://m/linux/releases/$releasever/Everything/$basearch/os\n"
                     "gpgcheck=1\nrepo_gpgcheck=0\nenabled=1\n",
                            "baseurl=http://m/linux/updates/$releasever/Everything/$basearch\n", "[updates-testing]\n",
                            NULL}},
            {DISTRIBUTION_FEDORA, "rawhide", NULL,
                    {"baseurl=http://m/linux/development/$releasever/Everything/$basearch/os\n", NULL}},
            {DISTRIBUTION_FEDORA, "rawhide", "20250101.n.0",
                    {"baseurl=http://m/compose/rawhide/Fedora-Rawhide-20250101.n.0/compose/Everything/$basearch/os\n",
                            NULL}},
            {DISTRIBUTION_CENTOS, "10", NULL,
                    {"baseurl=http://m/$stream/BaseOS/$basearch/os\n",
                            "baseurl=http://m/../fedora/epel/10/Everything/$basearch\n", NULL}},
            {DISTRIBUTION_ALMA, "9", NULL, {"baseurl=http://m/$releasever/BaseOS/$basearch/os\n", NULL}},
            {DISTRIBUTION_AZURE, "3.0", NULL, {"baseurl=http://m/3.0/prod/base/$basearch\n", NULL}},
            {DISTRIBUTION_OPENSUSE, "tumbleweed", NULL,
                    {"baseurl=http://m/tumbleweed/repo/oss\n", "baseurl=http://m/update/tumbleweed\n", NULL}},
            {DISTRIBUTION_OPENSUSE, "15.6", NULL,
                    {"baseurl=http://m/distribution/leap/15.6/repo/oss\n", "baseurl=http://m/update/leap/15.6/oss\n",
                            NULL}},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        ImageConfig config = config_of(cases[i].distribution, cases[i].release);
        config.snapshot = (char *) cases[i].snapshot;
        assert_repositories(&config, cases[i].parts);
    }
}

static void test_rolling(void) {
    ImageConfig config = config_of(DISTRIBUTION_FEDORA, "rawhide");
    g_autofree char *text = rpm_family_repositories(&config, "", NULL);

    g_assert_null(strstr(text, "[updates]"));
    g_assert_null(strstr(text, "gpgkey="));
}

static void test_refused(void) {
    static const struct {
        Distribution distribution;
        const char *release;
    } cases[] = {
            {DISTRIBUTION_ROCKY, "9"},
            {DISTRIBUTION_RHEL, "10"},
            {DISTRIBUTION_OPENSUSE, "15.6"},
            {DISTRIBUTION_MAGEIA, "cauldron"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        ImageConfig config = config_of(cases[i].distribution, cases[i].release);
        config.snapshot = (char *) "20250101";
        g_assert_null(rpm_family_repositories(&config, "", &error));
        g_assert_error(error, DISTRO_ERROR, DISTRO_ERROR_UNSUPPORTED);
    }
}

static void test_database(void) {
    ImageConfig config = config_of(DISTRIBUTION_CENTOS, "9");

    g_assert_cmpstr(rpm_family_database(&config), ==, "var/lib/rpm");
    config.release = (char *) "10";
    g_assert_cmpstr(rpm_family_database(&config), ==, "usr/lib/sysimage/rpm");
}

static void test_base(void) {
    static char *own[] = {(char *) "my-release", NULL};
    ImageConfig config = config_of(DISTRIBUTION_OPENSUSE, "tumbleweed");
    g_auto(GStrv) usual = rpm_family_base(&config);

    g_assert_true(g_strv_contains((const char *const *) usual, "openSUSE-release"));
    config.packages = own;
    g_auto(GStrv) without = rpm_family_base(&config);
    g_assert_cmpuint(g_strv_length(without), ==, 1);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rpm/addresses of repositories", test_addresses);
    g_test_add_func("/rpm/rolling releases have no updates", test_rolling);
    g_test_add_func("/rpm/settings that a distribution does not know", test_refused);
    g_test_add_func("/rpm/place of the database", test_database);
    g_test_add_func("/rpm/what an empty tree starts with", test_base);
    return g_test_run();
}
