/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/pacman/configuration.h"
#include "distro/pacman/desc.h"
#include "distro/pacman/output.h"
#include "distro/pacman/resolve.h"

#define DIGEST "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char described[] = "%FILENAME%\nlibx-2:1.0-3-x86_64.pkg.tar.zst\n\n%NAME%\nlibx\n\n%BASE%\nx\n\n"
                                "%VERSION%\n2:1.0-3\n\n%CSIZE%\n641\n\n%ISIZE%\n9000\n\n%MD5SUM%\n00\n\n"
                                "%SHA256SUM%\n" DIGEST "\n\n%ARCH%\nx86_64\n\n%BUILDDATE%\n1600000000\n\n"
                                "%DEPENDS%\n%NAME%\nother\n\n%PROVIDES%\ny\n\n";

static void test_desc(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(PacmanDesc) desc = pacman_desc_parse(described, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(desc->name, ==, "libx");
    g_assert_cmpstr(desc->version, ==, "2:1.0-3");
    g_assert_cmpstr(desc->base, ==, "x");
    g_assert_cmpstr(desc->file, ==, "libx-2:1.0-3-x86_64.pkg.tar.zst");
    g_assert_cmpstr(desc->sha256, ==, DIGEST);
    g_assert_cmpuint(desc->size, ==, 641);
    g_assert_cmpuint(desc->installed_size, ==, 9000);
    g_assert_cmpint(desc->built, ==, 1600000000);
}

static void test_refused(void) {
    static const char *const texts[] = {
            "",
            "%NAME%\n--root\n\n%VERSION%\n1-1\n\n%ARCH%\nany\n",
            "%NAME%\na/b\n\n%VERSION%\n1-1\n\n%ARCH%\nany\n",
            "%NAME%\na\n\n%VERSION%\n1 1\n\n%ARCH%\nany\n",
            "%NAME%\na\n\n%ARCH%\nany\n",
            "%NAME%\na\n\n%VERSION%\n1-1\n\n%ARCH%\nany\n\n%FILENAME%\n../a.pkg.tar\n",
            "%NAME%\na\n\n%VERSION%\n1-1\n\n%ARCH%\nany\n\n%FILENAME%\n.hidden\n",
            "%NAME%\na\n\n%VERSION%\n1-1\n\n%ARCH%\nany\n\n%SHA256SUM%\n" DIGEST "a\n",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(pacman_desc_parse(texts[i], &error));
        g_assert_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR);
    }
}

static void test_install_date(void) {
    g_autofree char *set = pacman_desc_set_install_date("%NAME%\na\n\n%INSTALLDATE%\n99\n\n%SIZE%\n1\n", 7);
    g_autofree char *none = pacman_desc_set_install_date("%NAME%\na\n", 7);

    g_assert_cmpstr(set, ==, "%NAME%\na\n\n%INSTALLDATE%\n7\n\n%SIZE%\n1\n");
    g_assert_cmpstr(none, ==, "%NAME%\na\n");
}

static void test_output(void) {
    static const char *const lines[] = {":: Processing package changes...", "installing one...", "hello",
            "installing two...", "looking for a dragon", "error: command failed to execute correctly",
            ":: Running post-transaction hooks...", "(1/2) Arming ConditionNeedsUpdate..."};
    g_autoptr(PacmanOutput) output = pacman_output_new(NULL, NULL, 0);

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
        pacman_output_line(lines[i], output);
    g_assert_true(pacman_output_failed(output));
    g_assert_cmpstr(pacman_output_reason(output), ==,
            "  installing two...\n  looking for a dragon\n  command failed to execute correctly");
}

static void test_no_shell(void) {
    static const char *const lines[] = {"installing glibc...", "call to execv failed (No such file or directory)",
            "error: command failed to execute correctly", "(1/1) Making accounts...",
            "call to execv failed (No such file or directory)"};
    g_autoptr(PacmanOutput) output = pacman_output_new(NULL, NULL, 0);

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
        pacman_output_line(lines[i], output);
    g_assert_false(pacman_output_failed(output));
    pacman_output_line("error: command failed to execute correctly", output);
    g_assert_true(pacman_output_failed(output));
}

static void test_question(void) {
    g_autoptr(PacmanOutput) output = pacman_output_new(NULL, NULL, 0);

    pacman_output_line("Do you want to delete it? [Y/n] error: failed to commit transaction (x)", output);
    pacman_output_line(":: Proceed with installation? [Y/n] ", output);
    g_assert_cmpstr(pacman_output_reason(output), ==, "  failed to commit transaction (x)");
    g_assert_false(pacman_output_failed(output));
}

static void test_repositories(void) {
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify) distro_repository_free);

    pacman_configuration_list(
            "[options]\nServer = http://no.example\n[core]\nServer=https://me:secret@a.example/$repo/os/$arch\n"
            "Server = http://b.example\n[files]\nServer = file:///x\n[extra]\n# Server = http://c\n",
            "x86_64", found);
    g_assert_cmpuint(found->len, ==, 1);
    const DistroRepository *core = found->pdata[0];
    g_assert_cmpstr(core->url, ==, "https://a.example/core/os/x86_64");
    g_assert_cmpstr(core->metadata, ==, "https://a.example/core/os/x86_64/core.db");
    g_assert_cmpstr(core->suite, ==, "core");
}

static void test_choices(void) {
    g_autoptr(GPtrArray) good = pacman_choices_parse("core b-1-1-any.pkg.tar b 1-1 any SHA256:" DIGEST " 5\n"
                                                     "mkosi a-1-1-any.pkg.tar a 1-1 any SHA256:" DIGEST " 6\n");
    const PacmanChoice *first = good->pdata[0];

    g_assert_cmpuint(good->len, ==, 2);
    g_assert_cmpstr(first->package->name, ==, "a");
    g_assert_true(first->package->local);
    g_assert_null(pacman_choices_parse("core ../b b 1-1 any SHA256:" DIGEST " 5\n"));
    g_assert_null(pacman_choices_parse("core b b 1-1 any MD5:00 5\n"));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pacman/desc", test_desc);
    g_test_add_func("/pacman/desc-refused", test_refused);
    g_test_add_func("/pacman/install-date", test_install_date);
    g_test_add_func("/pacman/output", test_output);
    g_test_add_func("/pacman/no-shell", test_no_shell);
    g_test_add_func("/pacman/question", test_question);
    g_test_add_func("/pacman/repositories", test_repositories);
    g_test_add_func("/pacman/choices", test_choices);
    return g_test_run();
}
