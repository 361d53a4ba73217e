/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/values/value-parse.h"

#include <glib/gstdio.h>

/* The JSON of what TEXTS (NULL-terminated), assigned one after the other, leave in the setting; "error" when
 * one is refused. */
static char *assign(const char *name, gboolean cli, const char *const *texts) {
    Slot slot = {0};
    ParseContext context = {"/nowhere", cli};
    const Setting *setting = setting_by_name(name);
    gboolean good = TRUE;
    for (; good && *texts; texts++) {
        g_autoptr(GError) error = NULL;
        good = slot_assign(&slot, setting, *texts, &context, &error);
        g_assert_true(good == !error);
    }
    GString *out = g_string_new(NULL);
    value_to_json(slot_value(&slot, setting), out, -1);
    slot_clear(&slot);
    if (!good)
        g_string_assign(out, "error");
    return g_string_free(out, FALSE);
}

typedef struct {
    const char *name, *texts[4], *expected;
} Case;

static void check(const Case *cases, guint n, gboolean cli) {
    for (guint i = 0; i < n; i++) {
        g_autofree char *result = assign(cases[i].name, cli, cases[i].texts);
        if (g_strcmp0(result, cases[i].expected) != 0)
            g_test_message("%s=%s", cases[i].name, cases[i].texts[0]);
        g_assert_cmpstr(result, ==, cases[i].expected);
    }
}

static void test_scalars(void) {
    static const Case cases[] = {
            {"WithDocs", {"YES"}, "true"},
            {"WithDocs", {"never"}, "false"},
            {"WithDocs", {"perhaps"}, "error"},
            {"WithDocs", {"no", ""}, "null"},
            {"Bootable", {"auto"}, "\"auto\""},
            {"Bootable", {"1"}, "\"enabled\""},
            {"Bootable", {"Auto"}, "error"},
            {"Format", {"disk"}, "\"disk\""},
            {"Format", {"Disk"}, "error"},
            {"CompressOutput", {"zst"}, "\"zstd\""},
            {"CompressOutput", {"gzip"}, "\"gz\""},
            {"CompressOutput", {"none"}, "\"none\""},
            {"CompressOutput", {"off"}, "\"none\""},
            {"Verity", {"yes"}, "\"signed\""},
            {"CompressLevel", {"-1"}, "error"},
            {"CompressLevel", {"3x"}, "error"},
            {"OutputMode", {"640"}, "416"},
            {"OutputMode", {"0o640"}, "416"},
            {"OutputMode", {"2000"}, "error"},
            {"OutputMode", {"8"}, "error"},
            {"OutputSize", {"1"}, "4096"},
            {"OutputSize", {"4097"}, "8192"},
            {"OutputSize", {"1.5 K"}, "4096"},
            {"OutputSize", {"1e1G"}, "10737418240"},
            {"OutputSize", {"1T"}, "error"},
            {"OutputSize", {"1k"}, "error"},
            {"OutputSize", {"0"}, "error"},
            {"OutputSize", {"nan"}, "error"},
            {"OutputSize", {"0x10"}, "error"},
            {"OutputSize", {"1e300G"}, "error"},
            {"SectorSize", {"4096"}, "4096"},
            {"SectorSize", {"1000"}, "error"},
            {"VSockCID", {"auto"}, "-1"},
            {"VSockCID", {"hash"}, "-2"},
            {"VSockCID", {"2"}, "error"},
            {"VSockCID", {"4294967294"}, "4294967294"},
            {"Seed", {"{0123456789ABCDEF-0123456789abcdef}"}, "\"01234567-89ab-cdef-0123-456789abcdef\""},
            {"Seed", {"urn:uuid:01234567-89ab-cdef-0123-456789abcdef"},
                    "\"01234567-89ab-cdef-0123-456789abcdef\""},
            {"Seed", {"0123456789abcdef0123456789abcdeg"}, "error"},
            {"Output", {"a/b"}, "error"},
            {"Output", {".."}, "error"},
            {"RootPassword", {" hashed:x "}, "[\"x\",true]"},
            {"SecureBootKeySource", {"engine:pkcs11"}, "{\"Source\":\"pkcs11\",\"Type\":\"engine\"}"},
            {"SecureBootCertificateSource", {"engine:x"}, "{\"Source\":\"x\",\"Type\":\"engine\"}"},
            {"SecureBootCertificateSource", {"tape:x"}, "error"},
            {"SecureBootKey", {"pkcs11:object=a"}, "\"pkcs11:object=a\""},
            {"SecureBootKey", {"./none//such.key"}, "\"none/such.key\""},
            {"Splash", {"relative"}, "error"},
            {"MinimumVersion", {"20", "26~rc1", "25"}, "\"26~rc1\""},
            {"MinimumVersion", {"9999"}, "error"},
            {"MinimumVersion", {"commit:abc"}, "error"},
            {"MinimumVersion", {"20", ""}, "\"20\""},
            {"DelegateRanges", {""}, "error"},
    };
    check(cases, G_N_ELEMENTS(cases), FALSE);
}

static void test_lists(void) {
    static const Case cases[] = {
            {"RemoveFiles", {"/a,/b /a", "/c"}, "[\"/a\",\"/b\",\"/a\",\"/c\"]"},
            {"RemoveFiles", {"/a", "", "/b"}, "[\"/b\"]"},
            {"RemoveFiles", {"/a", " , "}, "[]"},
            {"Packages", {"b (x /y a", "B"}, "[\"B\",\"a\",\"b\",\"/y\",\"(x\"]"},
            {"KernelCommandLine", {"a,b c\td\ne"}, "[\"a,b\",\"c\\td\",\"e\"]"},
            {"QemuArgs", {"-a 'b c' \"d\\\"e\\f\" g\\ h''"}, "[\"-a\",\"b c\",\"d\\\"e\\\\f\",\"g h\"]"},
            {"QemuArgs", {"'open"}, "error"},
            {"QemuArgs", {"end\\"}, "error"},
            {"OciLabels", {"a=1 b", "a = x"}, "{\"\":\"\",\"a\":\"\",\"b\":\"\",\"x\":\"\"}"},
            {"OciLabels", {"'a = 1'", "b=2=3"}, "{\"a\":\"1\",\"b\":\"2=3\"}"},
            {"ManifestFormat", {"json changelog"}, "[\"json\",\"changelog\"]"},
            {"ManifestFormat", {"xml"}, "error"},
            {"SplitArtifacts", {"tar", "yes"}, "[\"uki\",\"kernel\",\"initrd\",\"partitions\"]"},
            {"SplitArtifacts", {"no", "tar"}, "[\"uki\",\"kernel\",\"initrd\",\"tar\"]"},
            {"KernelModulesInclude", {"a.* default host"}, "[\"re:a.*\",\"default\",\"host\"]"},
            {"Profiles", {"a/b"}, "error"},
            {"Drives", {"a:1G::cache=none"},
                    "[{\"Directory\":null,\"FileId\":\"a\",\"Flags\":[],\"Id\":\"a\","
                    "\"Options\":\"cache=none\",\"Size\":1073741824}]"},
            {"Drives", {"a:1G::::x"}, "error"},
            {"Drives", {"a"}, "error"},
            {"Credentials", {"a=b 'c=d e'"},
                    "[{\"Name\":\"a\",\"Path\":null,\"Value\":\"b\"},"
                    "{\"Name\":\"c\",\"Path\":null,\"Value\":\"d e\"}]"},
            {"Credentials", {"/no/such/file"}, "error"},
            {"ExtraTrees", {"/no/such:usr"}, "error"},
            {"ExtraTrees", {"/no/such:/usr/.//lib/"}, "[{\"Source\":\"/no/such\",\"Target\":\"/usr/lib\"}]"},
            {"ExtraTrees", {"/no/such:/usr"}, "[{\"Source\":\"/no/such\",\"Target\":\"/usr\"}]"},
            {"SkeletonTrees", {"/no/such"}, "error"},
            {"RuntimeTrees", {"x:y"}, "[{\"Source\":\"/nowhere/x\",\"Target\":\"y\"}]"},
            {"BuildScripts", {"/no/such/*.sh /no/such"}, "[]"},
    };
    check(cases, G_N_ELEMENTS(cases), FALSE);
}

static void test_command_line(void) {
    static const Case cases[] = {
            {"Ssh", {"always"}, "\"always\""},
            {"Ssh", {"yes"}, "error"},
            {"Ssh", {""}, "null"},
            {"Verity", {""}, "error"},
            {"Incremental", {"true"}, "error"},
            {"CompressOutput", {"yes"}, "\"zstd\""},
            {"InitrdProfiles", {"lvm"}, "[\"lvm\"]"},
            {"InitrdProfiles", {"lvm,raid"}, "error"},
            {"Packages", {"b,a"}, "[\"a\",\"b\"]"},
    };
    check(cases, G_N_ELEMENTS(cases), TRUE);
}

static void test_environment(void) {
    static const Case cases[] = {
            {"Environment", {"RECIPE_TEST_SET RECIPE_TEST_UNSET"},
                    "{\"RECIPE_TEST_SET\":\"from here\",\"RECIPE_TEST_UNSET\":\"\"}"},
            {"BaseTrees", {"/$RECIPE_TEST_PATH/${RECIPE_TEST_PATH}x/$RECIPE_TEST_UNSET"},
                    "[\"/no/nox/$RECIPE_TEST_UNSET\"]"},
            {"BaseTrees", {"~/no-such-file"}, "[\"/no-such-home/no-such-file\"]"},
    };
    g_setenv("RECIPE_TEST_SET", "from here", TRUE);
    g_setenv("RECIPE_TEST_PATH", "no", TRUE);
    g_setenv("HOME", "/no-such-home", TRUE);
    check(cases, G_N_ELEMENTS(cases), FALSE);
}

static void test_failed_assignment_changes_nothing(void) {
    Slot slot = {0};
    ParseContext context = {"/", FALSE};
    const Setting *setting = setting_by_name("Drives");
    g_assert_true(slot_assign(&slot, setting, "a:1G", &context, NULL));
    g_assert_false(slot_assign(&slot, setting, "b:1G c", &context, NULL));
    g_assert_cmpuint(value_length(slot.value), ==, 1);
    slot_clear(&slot);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/values/scalars", test_scalars);
    g_test_add_func("/values/lists", test_lists);
    g_test_add_func("/values/command-line", test_command_line);
    g_test_add_func("/values/environment", test_environment);
    g_test_add_func("/values/failed-assignment", test_failed_assignment_changes_nothing);
    return g_test_run();
}
