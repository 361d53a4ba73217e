/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/driver/types.h"
#include "distro/apt/dpkg-status.h"

static const char status[] =
        "Package: zsh\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.9-8\n"
        "Installed-Size: 2\nDescription: shell\n with: colon\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n"
        "Package: half\nStatus: install ok half-installed\nArchitecture: amd64\nVersion: 1\n\n"
        "Package: libc6\nSource: glibc (2.41-1)\nStatus: install ok installed\n"
        "Architecture: amd64\nVersion: 2.41-12\n\n"
        "Package: noversion\nStatus: install ok installed\nArchitecture: all\n";

static void test_parse(void) {
    g_autoptr(GPtrArray) packages = dpkg_status_parse(status);
    const DistroInstalled *first, *second;

    g_assert_cmpuint(packages->len, ==, 2);
    first = packages->pdata[0];
    second = packages->pdata[1];
    g_assert_cmpstr(first->name, ==, "libc6");
    g_assert_cmpstr(first->source, ==, "glibc");
    g_assert_cmpstr(first->version, ==, "2.41-12");
    g_assert_cmpstr(second->name, ==, "zsh");
    g_assert_cmpstr(second->source, ==, "zsh");
    g_assert_cmpuint(second->installed_size, ==, 2048);
}

static void test_empty(void) {
    g_autoptr(GPtrArray) packages = dpkg_status_parse("");
    g_assert_cmpuint(packages->len, ==, 0);
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dpkg-status/parse", test_parse);
    g_test_add_func("/dpkg-status/empty", test_empty);
    return g_test_run();
}
