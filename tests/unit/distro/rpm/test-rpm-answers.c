/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "distro/driver/types.h"
#include "distro/rpm/database/header.h"
#include "distro/rpm/managers/zypper-answer.h"
#include "distro/rpm/metadata/primary.h"
#include "distro/rpm/metadata/table.h"
#include "distro/rpm/run/output.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void assert_choice(GPtrArray *choices, guint i, const char *name, const char *evr, const char *repository) {
    const RpmChoice *choice = choices->pdata[i];

    g_assert_cmpstr(choice->name, ==, name);
    g_assert_cmpstr(choice->evr, ==, evr);
    g_assert_cmpstr(choice->repository, ==, repository);
}

static void test_table(void) {
    static const char text[] = "Last metadata expiration check: 0:00:02 ago.\n"
                               "Dependencies resolved.\n"
                               "==========\n"
                               " Package   Architecture  Version   Repository  Size\n"
                               "==========\n"
                               "Installing group/module packages:\n"
                               " hello     x86_64        1-1       fedora     6.4 k\n"
                               "     replacing  former.noarch 1-1\n"
                               "Installing dependencies:\n"
                               " libx      x86_64        2:1~rc1-1 updates    6.1 k\n"
                               "Upgrading:\n"
                               " small     noarch        0:1-1     fedora     949  \n"
                               "Removing:\n"
                               " old       noarch        1-1       @System    1 k\n"
                               "Installing Groups:\n"
                               " Some tools of a group here\n"
                               "\n"
                               "Transaction Summary\n"
                               "==========\n"
                               "Install  3 Packages\n";
    g_autoptr(GPtrArray) choices = dnf_table_parse(text);

    g_assert_true(dnf_table_is_answer(text));
    g_assert_cmpuint(choices->len, ==, 3);
    assert_choice(choices, 0, "hello", "1-1", "fedora");
    assert_choice(choices, 1, "libx", "2:1~rc1-1", "updates");
    assert_choice(choices, 2, "small", "1-1", "fedora");
    g_assert_true(dnf_table_is_answer("Dependencies resolved.\nNothing to do.\nComplete!\n"));
    g_assert_false(dnf_table_is_answer("Error: Unable to find a match: nosuch\n"));
}

static void test_zypper(void) {
    static const char text[] =
            "<?xml version='1.0'?>\n<stream>\n<message type=\"info\">Loading</message>\n"
            "<install-summary packages-to-change=\"3\">\n<to-install>\n"
            "<solvable type=\"package\" name=\"a\" edition=\"1-1\" arch=\"noarch\" summary=\"it &lt;is&gt;\"/>\n"
            "<solvable type=\"pattern\" name=\"base\" edition=\"1-1\" arch=\"noarch\"/>\n</to-install>\n"
            "<to-upgrade><solvable type=\"package\" name=\"b\" edition=\"2:3-4\" arch=\"x86_64\" repository=\"oss\"/></to-upgrade>\n"
            "<to-remove><solvable type=\"package\" name=\"c\" edition=\"1-1\" arch=\"noarch\"/></to-remove>\n"
            "</install-summary></stream>\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) choices = zypper_answer_parse(text, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(choices->len, ==, 2);
    assert_choice(choices, 0, "a", "1-1", NULL);
    assert_choice(choices, 1, "b", "2:3-4", "oss");
    g_assert_null(zypper_answer_parse("no answer", NULL));
}

static char *list_with(const char *checksum, const char *location) {
    return g_strdup_printf("<metadata packages=\"2\"><package type=\"rpm\"><name>other</name><arch>noarch</arch>"
                           "<version epoch=\"0\" ver=\"1\" rel=\"1\"/></package>"
                           "<package type=\"rpm\"><name>libx</name><arch>x86_64</arch>"
                           "<version epoch=\"2\" ver=\"1~rc1\" rel=\"1\"/>%s<summary>x</summary>"
                           "<size package=\"123\" installed=\"9\"/><location href=\"%s\"/>"
                           "<format><name>not this</name><rpm:entry name=\"x\"/></format></package></metadata>",
            checksum, location);
}

/* What the list says of libx; NULL when it is refused. */
static DistroPackage *find_libx(const char *checksum, const char *location, GError **error) {
    g_autofree char *text = list_with(checksum, location);
    g_autoptr(GHashTable) wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    DistroPackage *package = g_new0(DistroPackage, 1);

    g_hash_table_insert(wanted, rpm_primary_key("libx", "2:1~rc1-1", "x86_64"), package);
    if (rpm_primary_find_in_text(text, strlen(text), wanted, error))
        return package;
    distro_package_free(package);
    return NULL;
}

static void test_primary(void) {
    static const char good[] = "<checksum type=\"sha256\" pkgid=\"YES\">" DIGEST "</checksum>";
    g_autoptr(GError) error = NULL;
    DistroPackage *package = find_libx(good, "x86_64/libx-1~rc1-1.x86_64.rpm", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(package->file, ==, "libx-1~rc1-1.x86_64.rpm");
    g_assert_cmpstr(package->place, ==, "x86_64/libx-1~rc1-1.x86_64.rpm");
    g_assert_cmpstr(package->digest, ==, "SHA256:" DIGEST);
    g_assert_cmpuint(package->size, ==, 123);
    distro_package_free(package);

    package = find_libx(good, "../../etc/libx.rpm", NULL);
    g_assert_null(package->place);
    distro_package_free(package);
    g_assert_null(find_libx(good, "x/-libx.rpm", NULL));
    g_assert_null(find_libx(good, "x/libx.deb", NULL));
    g_assert_null(find_libx("<checksum type=\"md5\">" DIGEST "</checksum>", "libx.rpm", NULL));
    g_assert_null(find_libx("<checksum type=\"sha256\">short</checksum>", "libx.rpm", NULL));
}

static guint8 *make_header(guint32 offset, gsize *ret_length) {
    const guint32 words[] = {2, 12, 1000, 6, 0, 1, RPM_TAG_INSTALLTIME, 4, offset, 1};
    guint8 *header = g_malloc0(sizeof words + 12);

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        guint32 stored = GUINT32_TO_BE(words[i]);
        memcpy(header + i * sizeof stored, &stored, sizeof stored);
    }
    *ret_length = sizeof words + 12;
    return header;
}

static void test_header(void) {
    gsize length = 0;
    g_autofree guint8 *header = make_header(4, &length), *wrong = make_header(9, &length);
    const guint8 wanted[] = {0x12, 0x34, 0x56, 0x78};

    g_assert_true(rpm_header_set_number(header, length, RPM_TAG_INSTALLTIME, 0x12345678));
    g_assert_cmpmem(header + length - 8, 4, wanted, 4);
    g_assert_true(rpm_header_set_number(header, length, RPM_TAG_INSTALLTID, 1));
    g_assert_false(rpm_header_set_number(wrong, length, RPM_TAG_INSTALLTIME, 1));
    g_assert_false(rpm_header_set_number(header, length - 13, RPM_TAG_INSTALLTIME, 1));
    g_assert_false(rpm_header_set_number(header, 3, RPM_TAG_INSTALLTIME, 1));
}

static void count_steps(guint done, guint total, const char *what, gpointer data) {
    GString *seen = data;
    g_string_append_printf(seen, "%u/%u %s;", done, total, what);
}

static void test_output(void) {
    g_autoptr(GString) seen = g_string_new(NULL);
    g_autoptr(RpmOutput) output = rpm_output_new(count_steps, seen);

    rpm_output_text(output, "  Installing       : hello-1-1.x86_64      1/2 \n"
                            "somebody talks\n"
                            "(2/2) Installing: late-1-1.noarch [...done]\n"
                            "because it rains\n"
                            "warning: %post(late-1-1.noarch) scriptlet failed, exit status 4\n"
                            "  Running scriptlet: bad-1-1.x86_64        2/2 \n"
                            "because of this\n"
                            "error: %prein(bad-1-1.x86_64) scriptlet failed, exit status 3\n");
    g_assert_cmpstr(seen->str, ==, "1/2 hello-1-1.x86_64;2/2 late-1-1.noarch;2/2 bad-1-1.x86_64;");
    g_assert_cmpstr(rpm_output_reason(output), ==,
            "  because of this\n  error: %prein(bad-1-1.x86_64) scriptlet failed, exit status 3");
    g_assert_cmpuint(rpm_output_failed_scripts(output)->len, ==, 1);
    g_assert_cmpstr(rpm_output_failed_scripts(output)->pdata[0], ==,
            "  because it rains\n  warning: %post(late-1-1.noarch) scriptlet failed, exit status 4");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rpm/table of dnf", test_table);
    g_test_add_func("/rpm/answer of zypper", test_zypper);
    g_test_add_func("/rpm/list of packages", test_primary);
    g_test_add_func("/rpm/header", test_header);
    g_test_add_func("/rpm/output", test_output);
    return g_test_run();
}
