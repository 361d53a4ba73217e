/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "reasons/reasons.h"

#define HEAD "{\"version\":1,\"program\":{\"version\":\"0.1\",\"build\":\"ab\"},"
#define MAIN(text) HEAD "\"images\":{\"main\":{" text "}}}"
#define SETTINGS(text) MAIN("\"settings\":{" text "}")
#define PACKAGES(text) MAIN("\"packages\":{\"install\":{" text "}}")
#define PACKAGE(name, version, digest) "\"" name "\":{\"version\":\"" version "\",\"digest\":\"" digest "\"}"
#define FILES(text) MAIN("\"files\":{\"ExtraTrees\":{\"mkosi.extra\":{" text "}}}")
#define FILE(name, content) "\"" name "\":{\"type\":\"file\",\"mode\":\"0644\",\"content\":\"" content "\"}"
#define COMMIT "\"commit\":{\"id\":\"a1b2c3d4e5\",\"author\":\"Luca\",\"subject\":\"Say less\"}"

/* Two input sets as JSON, and the reasons, a line each. */
typedef struct {
    const char *name, *before, *after, *reasons;
} Case;

static const Case cases[] = {
        {"nothing", SETTINGS("\"A\":1"), SETTINGS("\"A\":1"), ""},
        {"one package", PACKAGES(PACKAGE("systemd", "262-1", "a")), PACKAGES(PACKAGE("systemd", "262-2", "b")),
                "systemd 262-1 → 262-2\n"},
        {"packages, by name",
                PACKAGES(PACKAGE("b", "1", "a") "," PACKAGE("a", "1", "a") "," PACKAGE("c", "1", "a") "," PACKAGE(
                        "d", "1", "a")),
                PACKAGES(PACKAGE("b", "2", "b") "," PACKAGE("a", "2", "b") "," PACKAGE("c", "2", "b") "," PACKAGE(
                        "d", "2", "a")),
                "a 1 → 2, and 3 more\n"},
        {"a package that the recipe names comes first",
                MAIN("\"settings\":{\"Packages\":[\"b\"]},\"packages\":{\"install\":{" PACKAGE(
                        "a", "1", "a") "," PACKAGE("b", "1", "a") "}}"),
                MAIN("\"settings\":{\"Packages\":[\"b\"]},\"packages\":{\"install\":{" PACKAGE(
                        "a", "2", "b") "," PACKAGE("b", "2", "b") "}}"),
                "b 1 → 2, and 1 more\n"},
        {"packages that come, go, and are made again",
                PACKAGES(PACKAGE("a", "1", "a") "," PACKAGE("b", "1", "a") "," PACKAGE("c", "1", "a")),
                PACKAGES(PACKAGE("a", "1", "b") "," PACKAGE("c", "1", "a") "," PACKAGE("d", "3", "a")),
                "d 3 added\nb 1 removed\na 1 was rebuilt\n"},
        {"build packages", MAIN("\"packages\":{\"build\":{" PACKAGE("gcc", "1", "a") "}}"),
                MAIN("\"packages\":{\"build\":{" PACKAGE("gcc", "2", "b") "}}"), "gcc 1 → 2 (build packages)\n"},
        {"volatile packages", MAIN("\"packages\":{\"volatile\":{" PACKAGE("x", "1", "a") "}}"),
                MAIN("\"packages\":{\"volatile\":{" PACKAGE("x", "2", "b") "}}"), "x 1 → 2 (volatile packages)\n"},
        {"scalars", SETTINGS("\"A\":1,\"B\":true,\"C\":null,\"D\":\"x\",\"E\":\"\""),
                SETTINGS("\"A\":2,\"B\":false,\"C\":\"y\",\"D\":null,\"E\":\"z\""),
                "`A`: 1 → 2\n`B`: yes → no\n`C`: not set → y\n`D`: x → not set\n`E`: \"\" → z\n"},
        {"lists", SETTINGS("\"A\":[\"x\",\"y\"],\"B\":[\"x\",\"y\"],\"C\":null"),
                SETTINGS("\"A\":[\"y\",\"z\",\"z\"],\"B\":[\"y\",\"x\"],\"C\":[\"x\"]"),
                "`A`: added z, z; removed x\n`B`: other order\n`C`: added x\n"},
        {"trees", SETTINGS("\"ExtraTrees\":[{\"Source\":\"a\",\"Target\":null}]"),
                SETTINGS("\"ExtraTrees\":[{\"Source\":\"a\",\"Target\":\"/b\"}]"),
                "`ExtraTrees`: added a:/b; removed a\n"},
        {"maps", SETTINGS("\"Environment\":{\"A\":\"1\",\"B\":\"1\",\"T\":\"sealed:0\"}"),
                SETTINGS("\"Environment\":{\"A\":\"2\",\"C\":\"1\",\"T\":\"sealed:1\"}"),
                "`Environment`: A: 1 → 2, T: another secret; added C=1; removed B\n"},
        {"secrets", SETTINGS("\"RootPassword\":null,\"Passphrase\":\"sealed:a\""),
                SETTINGS("\"RootPassword\":\"sealed:b\",\"Passphrase\":\"sealed:c\""),
                "`Passphrase`: another secret\n`RootPassword`: not set → secret\n"},
        {"what matters most comes first",
                MAIN("\"settings\":{\"Hostname\":\"a\",\"Release\":\"a\",\"Seed\":\"a\",\"Architecture\":"
                     "\"a\"}"),
                MAIN("\"settings\":{\"Hostname\":\"b\",\"Release\":\"b\",\"Seed\":\"b\",\"Architecture\":"
                     "\"b\"}"),
                "`Release`: a → b\n`Architecture`: a → b\n`Hostname`: a → b\n`Seed`: a → b\n"},
        {"a file and who changed it", FILES(FILE("etc/motd", "a")),
                FILES("\"etc/motd\":{\"type\":\"file\",\"mode\":\"0644\",\"content\":\"b\"," COMMIT "}"),
                "`mkosi.extra/etc/motd` changed (a1b2c3d, Luca: Say less)\n"},
        {"a file that nobody has committed", FILES(FILE("a", "a")),
                FILES("\"a\":{\"type\":\"file\",\"mode\":\"0644\",\"content\":\"b\",\"uncommitted\":true}"),
                "`mkosi.extra/a` changed (not committed)\n"},
        {"another commit of the same file", FILES(FILE("a", "a")),
                FILES("\"a\":{\"type\":\"file\",\"mode\":\"0644\",\"content\":\"a\"," COMMIT "}"), ""},
        {"names between a directory and what is in it", FILES("\"d-\":{\"type\":\"directory\"}"),
                FILES("\"d\":{\"type\":\"directory\"},\"d-\":{\"type\":\"directory\"},\"d/"
                      "f\":{\"type\":\"file\"}"),
                "`mkosi.extra/d/f` was added\n"},
        {"times of a file and of its directory",
                FILES("\"d\":{\"type\":\"directory\",\"time\":\"1.0\"},\"d/"
                      "f\":{\"type\":\"file\",\"content\":\"a\",\"time\":"
                      "\"1.0\"}"),
                FILES("\"d\":{\"type\":\"directory\",\"time\":\"2.0\"},\"d/"
                      "f\":{\"type\":\"file\",\"content\":\"b\",\"time\":"
                      "\"2.0\"}"),
                "`mkosi.extra/d/f` changed\n"},
        {"a file of settings without effect",
                HEAD "\"recipe\":{" FILE("mkosi.conf", "a") "},\"images\":{\"main\":{\"settings\":{\"A\":1}}}}",
                HEAD "\"recipe\":{" FILE("mkosi.conf", "b") "},\"images\":{\"main\":{\"settings\":{\"A\":1}}}}", ""},
        {"a file of settings with effect",
                HEAD "\"recipe\":{" FILE("mkosi.conf", "a") "},\"images\":{\"main\":{\"settings\":{\"A\":1}}}}",
                HEAD "\"recipe\":{\"mkosi.conf\":{\"type\":\"file\",\"content\":\"b\"," COMMIT
                     "}},\"images\":{\"main\":{\"settings\":{\"A\":2}}}}",
                "`A`: 1 → 2\n`mkosi.conf` changed (a1b2c3d, Luca: Say less)\n"},
        {"a certificate", MAIN("\"certificates\":{\"A\":\"0123456789abcdef0123\"}"),
                MAIN("\"certificates\":{\"A\":\"f123456789abcdef0123\",\"B\":\"0\"}"),
                "`A`: 0123456789abcdef → f123456789abcdef\n`B`: not set → 0\n"},
        {"metadata",
                MAIN("\"metadata\":{\"scripts\":[\"mkosi.prepare\"],\"repositories\":{\"a\":\"1\",\"b\":"
                     "\"1\"}}"),
                MAIN("\"metadata\":{\"scripts\":[\"mkosi.prepare\"],\"repositories\":{\"a\":\"2\",\"b\":"
                     "\"2\"}}"),
                "metadata of a, b changed; `mkosi.prepare` may install from it\n"},
        {"metadata that scripts take nothing from",
                MAIN("\"metadata\":{\"scripts\":[\"mkosi.prepare\"],\"repositories\":{\"a\":\"1\"}}"),
                MAIN("\"metadata\":{\"scripts\":[\"mkosi.prepare\"],\"repositories\":{\"a\":\"2\"},\"unused\":true}"), ""},
        {"sources in the image", MAIN("\"sources\":\"1\""), MAIN("\"sources\":\"2\""),
                "other sources of packages for the system in the image\n"},
        {"the machine", MAIN("\"machine\":{\"modules\":\"1\",\"processor\":\"a\"}"),
                MAIN("\"machine\":{\"modules\":\"2\",\"processor\":\"b\"}"),
                "other kernel modules on the machine that builds\nanother processor in the machine that builds\n"},
        {"a machine that did not count", MAIN("\"machine\":{}"), MAIN("\"machine\":{\"modules\":\"2\"}"), ""},
        {"programs", MAIN("\"programs\":{\"usr/bin/dpkg\":\"1\"}"), MAIN("\"programs\":{\"usr/bin/dpkg\":\"2\"}"),
                "tools: `usr/bin/dpkg` changed\n"},
        {"the tools tree", HEAD "\"tools\":{\"settings\":{\"Packages\":[\"a\"]}}}",
                HEAD "\"tools\":{\"settings\":{\"Packages\":[\"a\",\"b\"]}}}", "tools: `Packages`: added b\n"},
        {"a tools tree more", HEAD "\"images\":{}}", HEAD "\"tools\":{\"settings\":{}}}",
                "the recipe makes its tools tree now\n"},
        {"a tools tree less", HEAD "\"tools\":{\"settings\":{}}}", HEAD "\"images\":{}}",
                "the recipe makes no tools tree any more\n"},
        {"the program", HEAD "\"images\":{}}", "{\"version\":1,\"program\":{\"version\":\"0.2\",\"build\":\"cd\"}}",
                "particleos 0.1 → 0.2\n"},
        {"another build of the program", HEAD "\"images\":{}}",
                "{\"version\":1,\"program\":{\"version\":\"0.1\",\"build\":\"cd\"}}",
                "particleos 0.1: another build of it\n"},
        {"another program that knows other settings", SETTINGS("\"A\":1,\"Old\":1"),
                "{\"version\":1,\"program\":{\"version\":\"0.2\"},\"images\":{\"main\":{\"settings\":{\"A\":"
                "1,\"New\":2}}}}",
                "particleos 0.1 → 0.2\n"},
        {"the same in two images, and in one that is not the main one",
                HEAD "\"images\":{\"initrd\":{\"settings\":{\"A\":1,\"B\":1}},\"main\":{\"settings\":{\"A\":"
                     "1}}}}",
                HEAD "\"images\":{\"initrd\":{\"settings\":{\"A\":2,\"B\":2}},\"main\":{\"settings\":{\"A\":"
                     "2}}}}",
                "`A`: 1 → 2\ninitrd: `B`: 1 → 2\n"},
        {"the same in two other images",
                HEAD "\"images\":{\"a\":{\"settings\":{\"A\":1}},\"b\":{\"settings\":{\"A\":1}}}}",
                HEAD "\"images\":{\"a\":{\"settings\":{\"A\":2}},\"b\":{\"settings\":{\"A\":2}}}}",
                "a, b: `A`: 1 → 2\n"},
        {"images", HEAD "\"images\":{\"a\":{}}}", HEAD "\"images\":{\"b\":{}}}",
                "image `a` was removed\nimage `b` was added\n"},
        {"characters that a terminal acts on", SETTINGS("\"A\":\"a\\u001b[31m\\nb\""), SETTINGS("\"A\":\"b\""),
                "`A`: a [31m b → b\n"},
};

static JsonNode *parse(const char *text) {
    g_autoptr(GError) error = NULL;
    JsonNode *node = reasons_parse(text, -1, &error);

    g_assert_no_error(error);
    return node;
}

static GPtrArray *compare(const char *before, const char *after, GError **error) {
    g_autoptr(JsonNode) old = parse(before), new = parse(after);
    return reasons_compare(old, new, error);
}

static void test_case(gconstpointer data) {
    const Case *c = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) reasons = compare(c->before, c->after, &error);
    g_autoptr(GString) text = g_string_new(NULL);

    g_assert_no_error(error);
    for (guint i = 0; i < reasons->len; i++)
        g_string_append_printf(text, "%s\n", ((const Reason *) reasons->pdata[i])->text);
    g_assert_cmpstr(text->str, ==, c->reasons);
}

static void test_data(void) {
    g_autoptr(GPtrArray) reasons =
            compare(PACKAGES(PACKAGE("systemd", "262-1", "a")), PACKAGES(PACKAGE("systemd", "262-2", "b")), NULL);
    const Reason *reason = reasons->pdata[0];

    g_assert_cmpint(reason->kind, ==, REASON_PACKAGES_UPDATED);
    g_assert_cmpstr(reason->subject, ==, "systemd");
    g_assert_cmpstr(reason->before, ==, "262-1");
    g_assert_cmpstr(reason->after, ==, "262-2");
    g_assert_cmpstr(reason->images[0], ==, "main");
    g_assert_null(reason->images[1]);
    g_autoptr(JsonNode) json = reasons_to_json(reasons);
    g_autofree char *text = json_to_string(json, FALSE);
    g_assert_cmpstr(text, ==,
            "{\"version\":1,\"summary\":\"systemd 262-1 → "
            "262-2\",\"reasons\":[{\"kind\":\"packages-updated\",\"text\":"
            "\"systemd 262-1 → "
            "262-2\",\"subject\":\"systemd\",\"before\":\"262-1\",\"after\":\"262-2\",\"images\":[\"main\"]"
            "}]}");
}

static void check_summary(const char *before, const char *after, const char *expected) {
    g_autoptr(GPtrArray) reasons = compare(before, after, NULL);
    g_autofree char *summary = reasons_summary(reasons);

    g_assert_cmpstr(summary, ==, expected);
}

static void test_summary(void) {
    check_summary(SETTINGS("\"A\":1"), SETTINGS("\"A\":1"), "nothing changed");
    check_summary(SETTINGS("\"A\":1"), SETTINGS("\"A\":2"), "`A`: 1 → 2");
    check_summary(SETTINGS("\"A\":1,\"B\":1"), SETTINGS("\"A\":2,\"B\":2"), "`A`: 1 → 2; 1 more reason");
    check_summary(
            SETTINGS("\"A\":1,\"B\":1,\"C\":1"), SETTINGS("\"A\":2,\"B\":2,\"C\":2"), "`A`: 1 → 2; 2 more reasons");
}

static void test_wrong_shapes(void) {
    static const char *const wrong[] = {"[]", "{}", "null", "1", "{\"version\":\"1\"}", "{\"version\":1}",
            "{\"version\":1,\"program\":[]}", "{\"version\":1,\"program\":{\"version\":1}}", HEAD "\"images\":[]}",
            HEAD "\"images\":{\"main\":[]}}", MAIN("\"settings\":[]"), MAIN("\"packages\":1"), MAIN("\"files\":\"x\""),
            PACKAGES("\"a\":1"), PACKAGES("\"a\":{\"version\":1}"), FILES("\"a\":1"), FILES("\"a\":{\"type\":{}}"),
            MAIN("\"certificates\":{\"A\":1}"), MAIN("\"metadata\":{\"scripts\":1,\"repositories\":{}}"),
            HEAD "\"recipe\":3}", HEAD "\"tools\":3}"};

    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) reasons = compare(wrong[i], wrong[i], &error);
        if (!g_error_matches(error, REASONS_ERROR, REASONS_ERROR_SYNTAX))
            g_error("%s is taken", wrong[i]);
        g_assert_null(reasons);
    }
}

static void test_other_version(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) reasons = compare(SETTINGS("\"A\":1"), "{\"version\":2}", &error);

    g_assert_null(reasons);
    g_assert_error(error, REASONS_ERROR, REASONS_ERROR_VERSION);
    g_assert_cmpstr(error->message, ==, "The present inputs are of version 2, this program knows version 1");
}

static void test_missing_setting(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) reasons = compare(SETTINGS("\"A\":1"), SETTINGS("\"B\":1"), &error);

    g_assert_null(reasons);
    g_assert_error(error, REASONS_ERROR, REASONS_ERROR_SYNTAX);
}

static void test_no_json(void) {
    g_autofree char *deep = g_strnfill(100000, '['), *quoted = g_strdup_printf("{\"a\":\"%s\"}", deep);
    const char *const wrong[] = {"", "{", "\xff", deep, "{\"a\":1}}"};

    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(reasons_parse(wrong[i], -1, &error));
        g_assert_error(error, REASONS_ERROR, REASONS_ERROR_SYNTAX);
    }
    g_autoptr(JsonNode) node = parse(quoted);
    g_assert_nonnull(node);
}

/* As many files and packages as somebody can send: no step looks at all of them for each of them. */
static void test_many(void) {
    g_autoptr(GString) before = g_string_new(HEAD "\"images\":{\"main\":{\"files\":{\"BuildSources\":{\".\":{");
    g_autoptr(GString) after = g_string_new(before->str);
    g_autoptr(GTimer) timer = g_timer_new();

    for (guint i = 0; i < 100000; i++) {
        g_string_append_printf(before, "%s\"old/%06u\":{\"type\":\"file\"}", i ? "," : "", i);
        g_string_append_printf(after, "%s\"new/%06u\":{\"type\":\"file\"}", i ? "," : "", i);
    }
    g_string_append(before, "}},\"ExtraTrees\":{}}}}}");
    g_string_append(after, "}},\"ExtraTrees\":{}}}}}");
    g_autoptr(GPtrArray) reasons = compare(before->str, after->str, NULL);
    g_assert_cmpuint(reasons->len, ==, 11);
    g_assert_cmpstr(((const Reason *) reasons->pdata[10])->text, ==, "199990 more files of `.` changed");
    g_assert_cmpfloat(g_timer_elapsed(timer, NULL), <, 60);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/reasons/%s", cases[i].name);
        g_test_add_data_func(path, &cases[i], test_case);
    }
    g_test_add_func("/reasons/data", test_data);
    g_test_add_func("/reasons/summary", test_summary);
    g_test_add_func("/reasons/wrong-shapes", test_wrong_shapes);
    g_test_add_func("/reasons/other-version", test_other_version);
    g_test_add_func("/reasons/missing-setting", test_missing_setting);
    g_test_add_func("/reasons/no-json", test_no_json);
    g_test_add_func("/reasons/many", test_many);
    return g_test_run();
}
