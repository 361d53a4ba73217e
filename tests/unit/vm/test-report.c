/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "vm/console/report.h"

#include <string.h>

static const TextStyle plain = {"", "", "", "", "", "", ""};

#define TABLE                                                                                               \
    "verity-table usr: 0 220400 verity 1 254:3 254:2 4096 4096 27550 1 sha256 "                             \
    "767e81017afd945938290d8a26e54c3020f8a869472b6aee88422e1ad00a42c3 "                                     \
    "ab6e6ff15f0cae2cbd2d7bd9e5b6a1aa8f8d2a7c2b66e3a2a43a8f4a4c4d4e4f"

/* As a serial port delivers it. */
static const char good[] =
        "begin\r\nos Debian GNU/Linux 13 (trixie), ParticleOS 0.1\r\nkernel 6.12.90\r\n"
        "time 34.1s\r\nsecure-boot 1\r\nsetup-mode 0\r\n" TABLE
        " 2 root_hash_sig_key_desc cryptsetup:usr\r\nverity-status usr: 0 220400 verity V\r\n"
        "luks root LUKS2 tpm2\r\nluks swap LUKS2 recovery,tpm2\r\n"
        "mount usr /usr erofs\r\nmount root / ext4\r\nmount root /var ext4\r\nswap swap\r\n"
        "message secureboot: Secure boot enabled\r\nend\r\n";

static void test_good(void) {
    g_autoptr(VmReport) report = vm_report_parse(good, strlen(good));
    g_assert_true(report->complete);
    g_assert_true(vm_report_is_good(report));
    g_assert_cmpstr(
            report->verity_hash, ==, "767e81017afd945938290d8a26e54c3020f8a869472b6aee88422e1ad00a42c3");
    g_assert_cmpint(report->volumes->len, ==, 2);
    const VmReportVolume *root = report->volumes->pdata[0];
    g_assert_cmpstr(root->use, ==, "/");
    g_autofree char *text = vm_report_format(report, &plain);
    g_assert_nonnull(strstr(text, "Secure Boot  enabled (user mode)"));
    g_assert_nonnull(strstr(text, "signature accepted by the kernel"));
    g_assert_null(strstr(text, "FAIL"));
}

/* Each replaces a part of the good report, which then is good no more. */
static void test_bad(void) {
    static const struct {
        const char *part, *replacement;
    } cases[] = {
            {"secure-boot 1", "secure-boot 0"},
            {"setup-mode 0", "setup-mode 1"},
            {"setup-mode 0", ""},
            {"root_hash_sig_key_desc", "ignore_corruption"},
            {"verity V", "verity C"},
            {"mount usr /usr", "mount /dev/vda2 /usr"},
            {"luks root LUKS2 tpm2", "luks root LUKS2 password"},
            {"luks root LUKS2 tpm2", ""},
            {"LUKS2 recovery,tpm2", "LUKS2 "},
            {"verity-table usr: 0 220400 verity", "verity-table usr: 0 220400 linear"},
            {"end\r\n", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) parts = g_strsplit(good, cases[i].part, 2);
        g_assert_nonnull(parts[1]);
        g_autofree char *text = g_strjoin(cases[i].replacement, parts[0], parts[1], NULL);
        g_autoptr(VmReport) report = vm_report_parse(text, strlen(text));
        g_test_message("%s", cases[i].part);
        g_assert_false(vm_report_is_good(report));
    }
}

/* Nothing that a guest writes reaches our terminal as a control sequence, and nothing crashes. */
static void test_hostile(void) {
    static const char text[] =
            "os \033]0;title\007\r\nluks \r\nluks\r\nverity-table usr:\r\nverity-status \r\nmount x\r\n"
            "\xff\xfe\r\nfailed \033[2J.service\r\nend";
    g_autoptr(VmReport) report = vm_report_parse(text, sizeof(text));
    g_autofree char *formatted = vm_report_format(report, &plain);
    g_assert_null(strchr(formatted, '\033'));
    g_assert_true(g_utf8_validate(formatted, -1, NULL));
    g_assert_false(vm_report_is_good(report));
}

static void test_credentials(void) {
    g_auto(GStrv) credentials = vm_report_credentials("ttyS9");
    g_assert_cmpint(g_strv_length(credentials) % 2, ==, 0);
    gboolean port = FALSE;
    for (char **value = credentials; *value; value++)
        port = port || strstr(*value, "PORT=/dev/ttyS9");
    g_assert_true(port);
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vm/report/good", test_good);
    g_test_add_func("/vm/report/bad", test_bad);
    g_test_add_func("/vm/report/hostile", test_hostile);
    g_test_add_func("/vm/report/credentials", test_credentials);
    return g_test_run();
}
