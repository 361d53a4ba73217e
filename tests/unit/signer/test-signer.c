/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <string.h>

#include "signer/client/packet.h"
#include "signer/log/index.h"
#include "signer/log/journal.h"
#include "signer/policy/policy.h"
#include "signer/text/error.h"
#include "signer/text/text.h"

#define HOUR 3600
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void test_names(void) {
    static const struct {
        const char *text;
        gboolean name, id, version, file;
    } cases[] = {
            {NULL, FALSE, FALSE, FALSE, FALSE},
            {"", FALSE, FALSE, FALSE, FALSE},
            {"a", TRUE, TRUE, FALSE, TRUE},
            {"a-b_1", TRUE, TRUE, FALSE, TRUE},
            {"-a", FALSE, TRUE, FALSE, FALSE},
            {"a.b", FALSE, TRUE, FALSE, TRUE},
            {"A", FALSE, TRUE, FALSE, TRUE},
            {"a/b", FALSE, FALSE, FALSE, FALSE},
            {"a b", FALSE, FALSE, FALSE, FALSE},
            {"a:b", FALSE, TRUE, FALSE, FALSE},
            {"a+~=@b", FALSE, FALSE, FALSE, TRUE},
            {".a", FALSE, TRUE, FALSE, FALSE},
            {"20261129020000", TRUE, TRUE, TRUE, TRUE},
            {"20261131020000", TRUE, TRUE, FALSE, TRUE},
            {"20260229000000", TRUE, TRUE, FALSE, TRUE},
            {"20240229235959", TRUE, TRUE, TRUE, TRUE},
            {"20261129240000", TRUE, TRUE, FALSE, TRUE},
            {"00000101000000", TRUE, TRUE, FALSE, TRUE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].text ?: "NULL");
        g_assert_cmpint(signer_is_name(cases[i].text), ==, cases[i].name);
        g_assert_cmpint(signer_is_id(cases[i].text, 64), ==, cases[i].id);
        g_assert_cmpint(signer_is_version(cases[i].text, NULL), ==, cases[i].version);
        g_assert_cmpint(signer_is_file_name(cases[i].text), ==, cases[i].file);
    }
    g_assert_false(signer_is_far_ahead("20261129020000", 1795917600));
    g_assert_false(signer_is_far_ahead("20261130020000", 1795917600));
    g_assert_true(signer_is_far_ahead("20261130020001", 1795917600));
    g_assert_true(signer_is_far_ahead("tomorrow", 1795917600));
}

static JsonObject *parse(const char *text) {
    g_autoptr(GError) error = NULL;
    JsonObject *object = signer_packet_parse(text, strlen(text), &error);
    g_assert_no_error(error);
    return object;
}

/* A leaf of TYPE with FACTS, made at TIME with N signatures. */
static JsonObject *leaf(
        const char *type, const char *id, const char *version, gint64 time, guint n, const char *facts) {
    g_autoptr(GString) signatures = g_string_new(NULL);
    for (guint i = 0; i < n; i++)
        g_string_append(signatures, i > 0 ? ",{}" : "{}");
    g_autofree char *text = g_strdup_printf("{\"version\":1,\"time\":%" G_GINT64_FORMAT
                                            ",\"type\":\"%s\",\"id\":\"%s\",\"namespace\":\"n\",\"project\":\"p\","
                                            "\"target\":\"t\",\"job\":\"1\",\"imageVersion\":\"%s\",\"request\":\"" HASH
                                            "\",\"signatures\":[%s],\"facts\":{%s}}",
            time, type, id, version, signatures->str, facts);
    return parse(text);
}

static void add(SignerIndex *index, const char *type, const char *id, const char *version, gint64 time, guint n,
        const char *facts) {
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) object = leaf(type, id, version, time, n, facts);
    g_assert_true(signer_index_add(index, object, &error));
    g_assert_no_error(error);
}

#define V1 "20261101000000"
#define V2 "20261102000000"

static void test_index(void) {
    g_autoptr(SignerIndex) index = signer_index_new();
    guint n = 0;

    add(index, "verity", "a", V1, 1000, 1, "\"rootHash\":\"" HASH "\"");
    g_assert_true(signer_index_has_root_hash(index, "n/p", "t", "1", HASH));
    g_assert_true(signer_index_has_root_hash(
            index, "n/p", "t", "1", "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"));
    g_assert_false(signer_index_has_root_hash(index, "n/p", "t", "2", HASH));
    g_assert_false(signer_index_has_root_hash(index, "n/p", "u", "1", HASH));
    g_assert_false(signer_index_has_root_hash(index, "n/q", "t", "1", HASH));
    g_assert_false(signer_index_has_root_hash(index, "n/p", "t", "1", OTHER));

    add(index, "pe", "b", V2, 1001, 3, "\"file\":\"" HASH "\",\"authenticode\":\"" OTHER "\"");
    add(index, "pe", "c", V1, 1001, 1,
            "\"file\":\"" HASH "\",\"authenticode\":\"" OTHER "\",\"trusted\":\"" OTHER "\",\"name\":\"x\"");
    g_assert_cmpstr(signer_index_find_file(index, "n/p", "t", HASH), ==, V2);
    g_assert_null(signer_index_find_file(index, "n/p", "u", HASH));
    g_assert_cmpstr(signer_index_find_program(index, "n/p", OTHER), ==, V2);
    g_assert_null(signer_index_find_program(index, "n/q", OTHER));
    g_assert_cmpstr(signer_index_get_first(index, "n/p", "x", &n), ==, OTHER);
    g_assert_cmpuint(n, ==, 1);
    g_assert_null(signer_index_get_first(index, "n/p", "y", NULL));

    add(index, "ipe", "d", V1, 1002, 1, "\"policyName\":\"boot\",\"policyNumber\":5");
    add(index, "ipe", "e", V1, 1002, 1, "\"policyName\":\"boot\",\"policyNumber\":3");
    g_assert_cmpint(signer_index_get_policy_version(index, "n/p", "boot"), ==, 5);
    g_assert_cmpint(signer_index_get_policy_version(index, "n/p", "other"), ==, -1);

    add(index, "manifest", "f", V2, 1003, 1, "\"channel\":\"testing\"");
    add(index, "manifest", "g", V1, 1004, 1, "\"channel\":\"testing\",\"entries\":\"" HASH "\"");
    add(index, "manifest", "h", V2, 1005, 1, "\"channel\":\"testing\",\"entries\":\"" OTHER "\"");
    const GPtrArray *offers = signer_index_get_offers(index, "n/p", "t", "testing");
    g_assert_cmpuint(offers->len, ==, 2);
    const SignerOffer *offer = offers->pdata[0];
    g_assert_cmpstr(offer->version, ==, V2);
    g_assert_cmpstr(offer->entries, ==, OTHER);
    g_assert_cmpint(offer->first, ==, 1003);
    g_assert_null(signer_index_get_offers(index, "n/p", "t", "stable"));
    g_assert_null(signer_index_get_offers(index, "n/p", "u", "testing"));
    add(index, "withdraw", "i", V1, 1005, 0, "");
    g_assert_true(signer_index_is_withdrawn(index, "n/p", V1));
    g_assert_false(signer_index_is_withdrawn(index, "n/p", V2));
    g_assert_false(signer_index_is_withdrawn(index, "n/q", V1));

    g_assert_cmpint(signer_index_find_request(index, "n/p", "c")->time, ==, 1001);
    g_assert_cmpstr(signer_index_find_request(index, "n/p", "c")->trusted, ==, OTHER);
    g_assert_null(signer_index_find_request(index, "n/q", "c"));
}

/* What is older than an hour does not count, what is of the future (the clock was put back) does. */
static void test_limit(void) {
    g_autoptr(SignerIndex) index = signer_index_new();

    for (gint64 i = 0; i < 10; i++) {
        g_autofree char *id = g_strdup_printf("%d", (int) i);
        add(index, "verity", id, V1, 10000 + i * 600, 2, "\"rootHash\":\"" HASH "\"");
    }
    g_assert_cmpuint(signer_index_count_signatures(index, "n/p", 15400), ==, 12);
    g_assert_cmpuint(signer_index_count_signatures(index, "n/p", 15400 + HOUR - 1), ==, 2);
    g_assert_cmpuint(signer_index_count_signatures(index, "n/p", 15400 + HOUR), ==, 0);
    g_assert_cmpuint(signer_index_count_signatures(index, "n/p", 5000), ==, 12);
    g_assert_cmpuint(signer_index_count_signatures(index, "n/q", 15400), ==, 0);
}

static void test_wrong_leaves(void) {
    static const struct {
        const char *type, *facts;
    } cases[] = {{"verity", ""}, {"pe", ""}, {"pe", "\"file\":\"x\",\"authenticode\":\"" HASH "\""},
            {"pe", "\"file\":\"" HASH "\",\"authenticode\":\"" HASH "\",\"trusted\":\"" HASH "\""}, {"ipe", ""},
            {"ipe", "\"policyName\":\"x\",\"policyNumber\":-1"}, {"manifest", ""}, {"status", ""}, {"night", ""}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SignerIndex) index = signer_index_new();
        g_autoptr(JsonObject) object = leaf(cases[i].type, "x", V1, 1, 1, cases[i].facts);
        g_assert_false(signer_index_add(index, object, &error));
        g_assert_error(error, SIGNER_ERROR, SIGNER_ERROR_FAILED);
        g_assert_null(signer_index_find_request(index, "n/p", "x"));
    }
}

static gboolean count(gpointer user, JsonObject *object, GError **error) {
    ++*(guint *) user;
    return TRUE;
}

/* A log that is larger than what is read at once. */
static void test_journal(void) {
    g_autoptr(GError) error = NULL;
    g_autofree char *directory = g_dir_make_tmp("particleos-journal-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "log", NULL);
    g_autofree char *head = NULL;
    g_autofree char *padding = g_strnfill(60000, 'x');

    for (guint round = 0; round < 3; round++) {
        g_autofree char *repaired = NULL;
        guint n = 0;
        g_autoptr(SignerJournal) journal = signer_journal_open(path, count, &n, &repaired, &error);
        g_assert_no_error(error);
        g_assert_null(repaired);
        g_assert_cmpuint(n, ==, round * 8);
        g_assert_cmpuint(signer_journal_get_size(journal), ==, n);
        if (head)
            g_assert_cmpstr(signer_journal_get_head(journal), ==, head);
        for (guint i = 0; i < 8; i++) {
            g_autoptr(JsonObject) object = json_object_new();
            json_object_set_string_member(object, "text", i % 2 ? padding : "short");
            g_assert_true(signer_journal_append(journal, object, &error));
        }
        g_autoptr(JsonObject) large = json_object_new();
        g_autofree char *text = g_strnfill(SIGNER_LEAF_SIZE_MAX, 'x');
        json_object_set_string_member(large, "text", text);
        g_assert_false(signer_journal_append(journal, large, &error));
        g_assert_error(error, SIGNER_ERROR, SIGNER_ERROR_CONTENT);
        g_clear_error(&error);
        g_free(head);
        head = g_strdup(signer_journal_get_head(journal));
    }
    g_remove(path);
    g_rmdir(directory);
}

static void test_policy(void) {
    static const char text[] = "# comment\n[Project]\nDevelopment=on\nSignaturesPerHour=7\nCommandLineAllow=a b\n"
                               "CommandLineAllow= c \nTrust=" HASH "\n\n[Key verity]\nSource=provider:x\nKey=pkcs11:y\n"
                               "Certificate=z\n[Key ipe]\nSameAs=verity\n[Target t]\nImageID=Image\nInitrd=one two\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(SignerPolicy) policy = signer_policy_parse("p.conf", text, strlen(text), &error);

    g_assert_no_error(error);
    g_assert_true(policy->development);
    g_assert_cmpuint(policy->signatures_per_hour, ==, 7);
    g_assert_cmpuint(policy->allowed->len, ==, 3);
    g_assert_true(g_hash_table_contains(policy->trusted, HASH));
    const SignerKey *key = signer_policy_get_key(policy, SIGNER_PURPOSE_IPE, &error);
    g_assert_cmpstr(key->engine, ==, "x");
    g_assert_cmpint(key->kind, ==, KEY_SOURCE_KIND_PROVIDER);
    g_assert_null(signer_policy_get_key(policy, SIGNER_PURPOSE_PCR, &error));
    g_assert_error(error, SIGNER_ERROR, SIGNER_ERROR_POLICY);
    const SignerTarget *target = signer_policy_find_target(policy, "t");
    g_assert_cmpstr(target->image_id, ==, "Image");
    g_assert_true(signer_target_is_initrd(target, "two"));
    g_assert_false(signer_target_is_initrd(target, ""));
    g_assert_null(signer_policy_find_target(policy, "u"));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/signer/names", test_names);
    g_test_add_func("/signer/index", test_index);
    g_test_add_func("/signer/limit", test_limit);
    g_test_add_func("/signer/wrong-leaves", test_wrong_leaves);
    g_test_add_func("/signer/journal", test_journal);
    g_test_add_func("/signer/policy", test_policy);
    return g_test_run();
}
