/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sandbox/program-packages.h"
#include "sandbox/sandbox.h"

#include <glib/gstdio.h>
#include <string.h>

static const struct {
    const char *os_release, *program, *package;
} cases[] = {
        {"ID=debian\n", "/usr/sbin/mkfs.btrfs", "btrfs-progs"},
        {"ID=ubuntu\nID_LIKE=debian\n", "gpg", "gpg"},
        {"ID_LIKE=\"ubuntu debian\"\nID=linuxmint\n", "gpg", "gpg"},
        {"NAME=x\nID=fedora\n", "gpg", "gnupg2"},
        {"ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "gpg", "gnupg2"},
        {"ID=arch\n", "virt-fw-vars", "virt-firmware"},
        {"ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n", "mkfs.btrfs", "btrfsprogs"},
        {"ID=opensuse-leap\n", "mkfs.btrfs", "btrfsprogs"},
        {"ID=fedora\n", "locale-gen", NULL},
        {"ID=\"unclosed\nID_LIKE='\n", "mksquashfs", "squashfs-tools"},
        {"", "mksquashfs", "squashfs-tools"},
};

static void test_packages(void) {
    g_autofree char *root = g_dir_make_tmp("packages-XXXXXX", NULL);
    g_autofree char *lib = g_build_filename(root, "usr/lib", NULL);
    g_autofree char *path = g_build_filename(lib, "os-release", NULL);

    g_assert_cmpint(g_mkdir_with_parents(lib, 0755), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_true(g_file_set_contents(path, cases[i].os_release, -1, NULL));
        const ProgramPackages *packages = program_packages_find(cases[i].program);
        g_assert_nonnull(packages);
        g_assert_cmpstr(program_packages_in(packages, root), ==, cases[i].package);
    }
    g_assert_null(program_packages_find("mkfs.unheard-of"));
    g_autofree char *usr = g_build_filename(root, "usr", NULL);
    g_assert_true(g_remove(path) == 0 && g_rmdir(lib) == 0 && g_rmdir(usr) == 0 && g_rmdir(root) == 0);
}

static void test_advice(void) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    const struct {
        const char *program, *words;
        gboolean advice;
    } words[] = {
            {"mkswap", "mkswap: unrecognized option '--pagesize'", TRUE},
            {"mkswap", "mkswap: no space", FALSE},
            /* What a maintainer script says is not about apt. */
            {"apt-get", "\n  frobnicate: unrecognized option '--x'\n  E: dpkg returned 1", FALSE},
            {"apt-get", "\n  E: Command line option --x is not understood", TRUE},
            {"dpkg", "dpkg: error: unknown force/refuse option 'x'", TRUE},
            {"dpkg", "tar: unrecognized option", FALSE},
            {"stranger", "frobnicate: unrecognized option '--x'", FALSE},
            {"/work/finalize", "finalize: unrecognized option '--x'", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *advice = sandbox_advice(sandbox, words[i].program, words[i].words);
        g_assert_cmpint(advice != NULL, ==, words[i].advice);
    }
    g_autofree char *advice = sandbox_advice(sandbox, "mkswap", words[0].words);
    g_assert_nonnull(strstr(advice, "it says that it is mkswap from util-linux 2."));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_true(sandbox_become_root(&error));
    g_test_add_func("/program-packages/packages", test_packages);
    g_test_add_func("/program-packages/advice", test_advice);
    return g_test_run();
}
