/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-keys.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include "crypto/cms/cms.h"
#include "crypto/sources/error.h"
#include "crypto/sources/pkcs11-uri.h"

static void test_genkey(void) {
    g_autoptr(TestKeys) keys = test_keys_new("genkey ✓");
    struct stat st;
    g_assert_cmpint(stat(keys->key_path, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
    g_assert_cmpstr(certificate_get_subject(keys->certificate), ==, "CN=genkey ✓");
    g_assert_true(certificate_is_ca(keys->certificate));
    g_assert_true(certificate_is_self_signed(keys->certificate));

    g_autoptr(GError) error = NULL;
    g_assert_true(certificate_check_key(keys->certificate, keys->key, &error));
    g_assert_no_error(error);
    g_autoptr(TestKeys) other = test_keys_new("other");
    g_assert_false(certificate_check_key(keys->certificate, other->key, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISMATCH);
}

static void test_genkey_openssl(void) {
    if (!test_have_tool("openssl"))
        return;
    g_autoptr(TestKeys) keys = test_keys_new("genkey");
    g_autofree char *text = NULL;
    g_assert_true(test_shell(&text, "openssl x509 -in %s -noout -text", keys->certificate_path));
    g_assert_nonnull(strstr(text, "Version: 3"));
    g_assert_nonnull(strstr(text, "Basic Constraints: critical\n                CA:TRUE"));
    g_assert_nonnull(strstr(text, "Digital Signature, Certificate Sign"));
    g_assert_nonnull(strstr(text, "Subject Key Identifier"));
    g_assert_nonnull(strstr(text, "Authority Key Identifier"));
    g_assert_nonnull(strstr(text, "Public-Key: (2048 bit)"));
    g_assert_true(test_shell(
            NULL, "openssl verify -CAfile %s %s", keys->certificate_path, keys->certificate_path));

    g_autofree char *fingerprint = NULL;
    g_assert_true(test_shell(&fingerprint,
            "openssl x509 -in %s -noout -fingerprint -sha256 | sed 's/.*=//' | tr -d ':\\n' | tr A-F a-f",
            keys->certificate_path));
    g_assert_cmpstr(fingerprint, ==, certificate_get_fingerprint(keys->certificate));
}

/* Neither file is ever overwritten, and one that is there leaves no trace of the other. */
static void test_genkey_refuses(void) {
    static const char *const existing[] = {"a.key", "a.crt"};
    GenkeyOptions options = {.common_name = "x", .valid_days = 1, .rsa_bits = 1024};
    for (gsize i = 0; i < G_N_ELEMENTS(existing); i++) {
        g_autoptr(TestKeys) keys = test_keys_new("refuse");
        g_autofree char *path = test_file(keys, existing[i], "mine", 4);
        g_autofree char *other = g_build_filename(keys->directory, existing[1 - i], NULL);
        AUTO_FD fd = open(keys->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        g_autoptr(GError) error = NULL;
        g_assert_false(genkey_create_at(fd, "a.key", "a.crt", &options, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_EXISTS);
        g_autofree char *content = NULL;
        g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
        g_assert_cmpstr(content, ==, "mine");
        g_assert_false(g_file_test(other, G_FILE_TEST_EXISTS));
    }
    g_autoptr(TestKeys) keys = test_keys_new("refuse");
    AUTO_FD fd = open(keys->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GError) error = NULL;
    options.valid_days = 0;
    g_assert_false(genkey_create_at(fd, "a.key", "a.crt", &options, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_FAILED);
}

static void assert_key_refused(const char *path, int code, const char *advice) {
    g_autoptr(GError) error = NULL;
    g_assert_null(key_source_new(KEY_SOURCE_KIND_FILE, NULL, path, &error));
    g_assert_error(error, CRYPTO_ERROR, code);
    g_assert_nonnull(strstr(error->message, path));
    g_assert_nonnull(strstr(error->message, advice));
}

static void test_key_source_refuses(void) {
    g_autoptr(TestKeys) keys = test_keys_new("refuse");
    assert_key_refused("/nonexistent/a.key", CRYPTO_ERROR_MISSING, "particleos genkey");
    g_autofree char *garbage = test_file(keys, "garbage.key", "garbage", 7);
    g_chmod(garbage, 0600);
    assert_key_refused(garbage, CRYPTO_ERROR_MALFORMED, "PEM");
    g_chmod(keys->certificate_path, 0600);
    assert_key_refused(keys->certificate_path, CRYPTO_ERROR_MALFORMED, "PEM");
    g_chmod(keys->key_path, 0644);
    assert_key_refused(keys->key_path, CRYPTO_ERROR_PERMISSION, "chmod 0600");

    for (KeySourceKind kind = KEY_SOURCE_KIND_ENGINE; kind <= KEY_SOURCE_KIND_PROVIDER; kind++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(key_source_new(kind, "nonsense", "pkcs11:x", &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING);
        g_assert_nonnull(strstr(error->message, "nonsense"));
    }
}

typedef struct {
    const char *text; /* NULL: nobody knows */
    guint asked;
} Person;

static char *answer(const char *prompt, gpointer data, GError **error) {
    Person *person = data;
    person->asked++;
    if (!person->text)
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_FAILED, "forgotten");
    return g_strdup(person->text);
}

static void test_key_source_encrypted(void) {
    if (!test_have_tool("openssl"))
        return;
    g_autoptr(TestKeys) keys = test_keys_new("encrypted");
    g_autofree char *path = g_build_filename(keys->directory, "encrypted.key", NULL);
    g_assert_true(test_shell(
            NULL, "umask 077; openssl pkey -in %s -aes256 -passout pass:x -out %s", keys->key_path, path));
    g_autofree char *copy = g_strconcat(path, ".copy", NULL);
    g_assert_true(test_shell(NULL, "cp -p %s %s", path, copy));
    assert_key_refused(path, CRYPTO_ERROR_MISSING, "nobody can be asked");

    static const struct {
        const char *text;
        int code; /* -1: the key opens */
    } cases[] = {{"x", -1}, {"y", CRYPTO_ERROR_PERMISSION}, {"", CRYPTO_ERROR_PERMISSION}, {NULL, CRYPTO_ERROR_FAILED}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Person person = {cases[i].text, 0};
        g_autoptr(KeySession) session = key_session_new(answer, &person);
        g_autoptr(GError) error = NULL;
        g_autoptr(KeySource) key = key_session_open(session, KEY_SOURCE_KIND_FILE, NULL, path, &error);
        g_assert_cmpuint(person.asked, ==, 1);
        if (cases[i].code >= 0) {
            g_assert_error(error, CRYPTO_ERROR, cases[i].code);
            g_assert_null(key);
            continue;
        }
        g_assert_no_error(error);
        /* The same key again is the open one, another file asks for itself. */
        g_autoptr(KeySource) again = key_session_open(session, KEY_SOURCE_KIND_FILE, NULL, path, &error);
        g_assert_true(again == key);
        g_autoptr(KeySource) other = key_session_open(session, KEY_SOURCE_KIND_FILE, NULL, copy, &error);
        g_assert_nonnull(other);
        g_assert_cmpuint(person.asked, ==, 2);
    }
}

static void test_sign(void) {
    g_autoptr(TestKeys) keys = test_keys_new("sign");
    g_autoptr(GError) error = NULL;
    g_assert_true(key_source_is_deterministic(keys->key));
    g_autoptr(GBytes) first = key_source_sign(keys->key, "content", 7, &error);
    g_autoptr(GBytes) second = key_source_sign(keys->key, "content", 7, &error);
    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(first, second));

    g_autoptr(GBytes) pem = key_source_get_public_pem(keys->key, &error);
    g_autoptr(GBytes) der = key_source_get_public_der(keys->key, &error);
    g_autoptr(GBytes) again = public_key_to_der(pem, &error);
    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(der, again));
    g_assert_true(public_key_verify(pem, "content", 7, first, &error));
    g_assert_true(public_key_verify(der, "content", 7, first, &error));
    g_assert_no_error(error);
    g_assert_false(public_key_verify(der, "CONTENT", 7, first, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISMATCH);
}

static void test_sign_ec(void) {
    g_autoptr(GError) error = NULL;
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    g_autoptr(KeySource) key = key_source_new_from_pkey(pkey, "ec");
    EVP_PKEY_free(pkey);
    g_autoptr(GBytes) public_key = key_source_get_public_der(key, &error);
    g_autoptr(GBytes) first = key_source_sign(key, "content", 7, &error);
    g_autoptr(GBytes) second = key_source_sign(key, "content", 7, &error);
    g_assert_no_error(error);
    g_assert_true(public_key_verify(public_key, "content", 7, first, &error));
    g_assert_no_error(error);
    g_assert_cmpint(g_bytes_equal(first, second), ==, key_source_is_deterministic(key));
}

static void test_cms(void) {
    static const CmsFlags flags[] = {0, CMS_INCLUDE_CERTIFICATE, CMS_SIGNED_ATTRIBUTES,
            CMS_INCLUDE_CERTIFICATE | CMS_SIGNED_ATTRIBUTES | CMS_BARE};
    g_autoptr(TestKeys) keys = test_keys_new("cms");
    g_autoptr(TestKeys) stranger = test_keys_new("cms");
    g_autoptr(GPtrArray) candidates = g_ptr_array_new();
    g_ptr_array_add(candidates, stranger->certificate);
    g_ptr_array_add(candidates, keys->certificate);
    for (gsize i = 0; i < G_N_ELEMENTS(flags); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) der = cms_sign_detached(keys->key, keys->certificate, "abc", 3, flags[i], &error);
        g_assert_no_error(error);
        g_autoptr(GBytes) again = cms_sign_detached(keys->key, keys->certificate, "abc", 3, flags[i], NULL);
        g_assert_true(g_bytes_equal(der, again));
        g_autoptr(CmsMessage) message =
                cms_message_parse(g_bytes_get_data(der, NULL), g_bytes_get_size(der), FALSE, &error);
        g_assert_no_error(error);
        g_autoptr(Certificate) signer = NULL;
        g_assert_true(cms_message_verify(message, "abc", 3, candidates, &signer, &error));
        g_assert_no_error(error);
        g_assert_true(certificate_equal(signer, keys->certificate));
        g_assert_false(cms_message_verify(message, "abd", 3, candidates, NULL, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISMATCH);
        g_clear_error(&error);
        g_assert_cmpint(cms_message_verify(message, "abc", 3, NULL, NULL, &error), ==,
                (flags[i] & CMS_INCLUDE_CERTIFICATE) != 0);
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(cms_sign_detached(keys->key, stranger->certificate, "abc", 3, 0, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISMATCH);
}

/* No cut-off or flipped message crashes or verifies as something else. */
static void test_cms_damaged(void) {
    g_autoptr(TestKeys) keys = test_keys_new("cms");
    g_autoptr(GBytes) der = cms_sign_detached(
            keys->key, keys->certificate, "abc", 3, CMS_INCLUDE_CERTIFICATE | CMS_SIGNED_ATTRIBUTES, NULL);
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(der, &size);
    for (gsize i = 0; i < size; i++) {
        g_autoptr(CmsMessage) cut = cms_message_parse(data, i, FALSE, NULL);
        g_assert_null(cut);
        g_autofree guint8 *copy = g_memdup2(data, size);
        copy[i] ^= 0x20;
        g_autoptr(CmsMessage) message = cms_message_parse(copy, size, FALSE, NULL);
        g_autoptr(Certificate) signer = NULL;
        if (message && cms_message_verify(message, "abd", 3, NULL, &signer, NULL))
            g_test_fail_printf("Byte %" G_GSIZE_FORMAT " makes the signature valid for other content", i);
    }
}

static void test_cms_openssl(void) {
    if (!test_have_tool("openssl"))
        return;
    g_autoptr(TestKeys) keys = test_keys_new("cms");
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) der = cms_sign_detached(keys->key, keys->certificate, "abc", 3, 0, &error);
    g_assert_no_error(error);
    g_autofree char *content = test_file(keys, "content", "abc", 3);
    g_autofree char *signature = test_file_bytes(keys, "signature", der);
    g_assert_true(test_shell(NULL,
            "openssl smime -sign -nocerts -noattr -binary -in %s -inkey %s -signer %s -outform der | cmp - "
            "%s",
            content, keys->key_path, keys->certificate_path, signature));
    g_assert_true(test_shell(NULL,
            "openssl smime -verify -inform der -in %s -content %s -certfile %s -CAfile %s -nointern -binary",
            signature, content, keys->certificate_path, keys->certificate_path));
    g_assert_true(test_shell(NULL,
            "openssl cms -verify -inform der -in %s -content %s -certfile %s -noverify -binary", signature,
            content, keys->certificate_path));
}

static void test_pkcs11_uri(void) {
    static const char uri[] = "pkcs11:token=my%20token;object=boot;type=private?pin-value=12%2634&module-name=x";
    g_assert_true(pkcs11_uri_check(uri));
    g_assert_false(pkcs11_uri_check("mkosi.key"));
    g_autofree char *token = pkcs11_uri_get(uri, "token"), *pin = pkcs11_uri_get(uri, "pin-value");
    g_autofree char *tok = pkcs11_uri_get(uri, "tok");
    g_assert_cmpstr(token, ==, "my token");
    g_assert_cmpstr(pin, ==, "12&34");
    g_assert_null(tok);
    g_autofree char *public = pkcs11_uri_with(uri, "type", "public");
    g_assert_cmpstr(public, ==, "pkcs11:token=my%20token;object=boot;type=public?pin-value=12%2634&module-name=x");
    g_autofree char *bare = pkcs11_uri_with("pkcs11:object=boot?pin-value=1", "pin-value", NULL);
    g_assert_cmpstr(bare, ==, "pkcs11:object=boot");
    g_autofree char *with = pkcs11_uri_with("pkcs11:object=boot", "pin-value", "a b&c");
    g_assert_cmpstr(with, ==, "pkcs11:object=boot?pin-value=a%20b%26c");
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/crypto/genkey", test_genkey);
    g_test_add_func("/crypto/genkey/openssl", test_genkey_openssl);
    g_test_add_func("/crypto/genkey/refuses", test_genkey_refuses);
    g_test_add_func("/crypto/key-source/refuses", test_key_source_refuses);
    g_test_add_func("/crypto/key-source/encrypted", test_key_source_encrypted);
    g_test_add_func("/crypto/pkcs11-uri", test_pkcs11_uri);
    g_test_add_func("/crypto/sign/rsa", test_sign);
    g_test_add_func("/crypto/sign/ec", test_sign_ec);
    g_test_add_func("/crypto/cms", test_cms);
    g_test_add_func("/crypto/cms/damaged", test_cms_damaged);
    g_test_add_func("/crypto/cms/openssl", test_cms_openssl);
    return g_test_run();
}
