/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-keys.h"

#include "crypto/cms/cms.h"
#include "crypto/sources/error.h"
#include "format/verity/signature/verity-signature.h"

static const guint8 root_hash[32] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xff, 0xee, 0xdd, 0xcc};
#define ROOT_HASH_HEX "0123456789abcdefffeeddcc0000000000000000000000000000000000000000"

static GBytes *make_partition(TestKeys *keys) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) signature =
            verity_signature_sign(root_hash, sizeof root_hash, keys->key, keys->certificate, &error);
    g_assert_no_error(error);
    GBytes *partition = verity_signature_partition_build(
            root_hash, sizeof root_hash, signature, keys->certificate, &error);
    g_assert_no_error(error);
    return partition;
}

static void test_partition(void) {
    g_autoptr(TestKeys) keys = test_keys_new("verity");
    g_autoptr(TestKeys) stranger = test_keys_new("verity");
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) partition = make_partition(keys);
    g_autoptr(GBytes) again = make_partition(keys);
    g_assert_true(g_bytes_equal(partition, again));
    g_assert_cmpuint(g_bytes_get_size(partition), ==, VERITY_SIGNATURE_PARTITION_SIZE);

    g_autoptr(VeritySignature) signature =
            verity_signature_parse(g_bytes_get_data(partition, NULL), g_bytes_get_size(partition), &error);
    g_assert_no_error(error);
    g_assert_cmpmem(g_bytes_get_data(signature->root_hash, NULL), g_bytes_get_size(signature->root_hash),
            root_hash, sizeof root_hash);
    g_assert_cmpstr(signature->fingerprint, ==, certificate_get_fingerprint(keys->certificate));

    g_autoptr(GPtrArray) candidates = g_ptr_array_new();
    g_ptr_array_add(candidates, stranger->certificate);
    g_assert_false(verity_signature_verify(signature, candidates, NULL, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING);
    g_clear_error(&error);
    g_ptr_array_add(candidates, keys->certificate);
    g_autoptr(Certificate) signer = NULL;
    g_assert_true(verity_signature_verify(signature, candidates, &signer, &error));
    g_assert_no_error(error);
    g_assert_true(certificate_equal(signer, keys->certificate));
}

static void test_malformed(void) {
    static const char *const texts[] = {
            "",
            "[]",
            "{}",
            "nonsense",
            "{\"rootHash\":1,\"signature\":\"AAAA\"}",
            "{\"rootHash\":\"xyz\",\"signature\":\"AAAA\"}",
            "{\"rootHash\":\"\",\"signature\":\"AAAA\"}",
            "{\"rootHash\":\"00\",\"signature\":\"\"}",
            "{\"rootHash\":\"00\"}",
            "{\"rootHash\":\"00\",\"signature\":{}}",
            "{\"rootHash\":\"00\",\"signature\":\"AAAA\",\"more\":\"00\"}",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(verity_signature_parse(texts[i], strlen(texts[i]), &error));
        g_assert_nonnull(error);
    }
    static const char hidden[] = "{\"rootHash\":\"00\",\"signature\":\"AAAA\"}\0\0x";
    g_autoptr(GError) error = NULL;
    g_assert_null(verity_signature_parse(hidden, sizeof hidden - 1, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
}

/* Whether the partition DATA is what inspect calls good. */
static gboolean holds(const TestKeys *keys, GPtrArray *candidates, const guint8 *data, gsize size) {
    g_autoptr(VeritySignature) signature = verity_signature_parse(data, size, NULL);
    return signature && verity_signature_verify(signature, candidates, NULL, NULL) &&
           g_strcmp0(signature->fingerprint, certificate_get_fingerprint(keys->certificate)) == 0;
}

/* One byte that changed, in the text or in what it encodes, is found wherever it is. */
static void test_sweep(void) {
    g_autoptr(TestKeys) keys = test_keys_new("verity");
    g_autoptr(GBytes) partition = make_partition(keys);
    g_autoptr(GPtrArray) candidates = g_ptr_array_new();
    g_ptr_array_add(candidates, keys->certificate);
    gsize size = 0;
    const guint8 *original = g_bytes_get_data(partition, &size);
    g_autofree guint8 *data = g_memdup2(original, size);
    gsize text =
            strlen((const char *) original) - 1; /* without the line end, which may be any white space */
    g_assert_true(holds(keys, candidates, data, size));
    for (gsize at = 0; at < text; at++) {
        data[at] ^= 1;
        if (holds(keys, candidates, data, size))
            g_test_fail_printf("byte %" G_GSIZE_FORMAT " of the text", at);
        data[at] ^= 1;
    }
}

/* The same in a message with the certificate of its signer, which verifiers may go by. */
static void test_sweep_message(void) {
    static const guint8 masks[] = {0x01, 0x80};
    g_autoptr(TestKeys) keys = test_keys_new("verity");
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) der =
            cms_sign_detached(keys->key, keys->certificate, "text", 4, CMS_INCLUDE_CERTIFICATE, &error);
    g_assert_no_error(error);
    g_autoptr(GPtrArray) candidates = g_ptr_array_new();
    g_ptr_array_add(candidates, keys->certificate);
    gsize size = 0;
    const guint8 *original = g_bytes_get_data(der, &size);
    g_autofree guint8 *data = g_memdup2(original, size);
    for (gsize at = 0; at < size; at++)
        for (gsize i = 0; i < G_N_ELEMENTS(masks); i++) {
            data[at] ^= masks[i];
            g_autoptr(CmsMessage) message = cms_message_parse(data, size, FALSE, NULL);
            if (message && cms_message_verify(message, "text", 4, candidates, NULL, NULL))
                g_test_fail_printf("byte %" G_GSIZE_FORMAT ", bits %#x", at, masks[i]);
            data[at] ^= masks[i];
        }
}

static void test_openssl(void) {
    if (!test_have_tool("openssl") || !test_have_tool("python3"))
        return;
    g_autoptr(TestKeys) keys = test_keys_new("verity");
    g_autoptr(GBytes) partition = make_partition(keys);
    g_autofree char *path = test_file_bytes(keys, "partition", partition);
    g_assert_true(test_shell(NULL,
            "cd %s && python3 -c '\n"
            "import base64, json\n"
            "j = json.loads(open(\"partition\").read().rstrip(\"\\0\"))\n"
            "open(\"signature\", \"wb\").write(base64.b64decode(j[\"signature\"]))\n"
            "open(\"content\", \"w\").write(j[\"rootHash\"])\n"
            "assert j[\"rootHash\"] == \"" ROOT_HASH_HEX "\"' && "
            "openssl cms -verify -inform der -in signature -content content -binary -certfile test.crt "
            "-noverify -out /dev/null && "
            "openssl smime -verify -inform der -in signature -content content -binary -certfile test.crt "
            "-CAfile test.crt -out /dev/null",
            keys->directory));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/verity-signature/partition", test_partition);
    g_test_add_func("/verity-signature/malformed", test_malformed);
    g_test_add_func("/verity-signature/sweep", test_sweep);
    g_test_add_func("/verity-signature/sweep-message", test_sweep_message);
    g_test_add_func("/verity-signature/openssl", test_openssl);
    return g_test_run();
}
