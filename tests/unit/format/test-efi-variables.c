/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-keys.h"

#include "crypto/sources/error.h"
#include "format/efi/variables/efi-authenticated-variable.h"
#include "format/efi/variables/efi-signature-list.h"

static GPtrArray *array_of(Certificate *first, Certificate *second) {
    GPtrArray *certificates = g_ptr_array_new();
    g_ptr_array_add(certificates, first);
    if (second)
        g_ptr_array_add(certificates, second);
    return certificates;
}

static void test_list(void) {
    g_autoptr(TestKeys) one = test_keys_new("one");
    g_autoptr(TestKeys) two = test_keys_new("two, a longer name");
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) certificates = array_of(one->certificate, two->certificate);
    g_autoptr(GBytes) lists = efi_signature_list_build(certificates, &PARTICLEOS_SIGNATURE_OWNER_GUID);
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(lists, &size);
    g_autoptr(GPtrArray) signatures = efi_signature_list_parse(data, size, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(signatures->len, ==, 2);
    g_autoptr(GPtrArray) read = efi_signature_list_get_certificates(signatures, &error);
    g_assert_no_error(error);
    g_assert_true(certificate_equal(read->pdata[0], one->certificate));
    g_assert_true(certificate_equal(read->pdata[1], two->certificate));

    gsize first_size = 28 + 16 + g_bytes_get_size(certificate_get_der(one->certificate));
    for (gsize i = 1; i < size; i++) {
        g_autofree guint8 *cut = g_memdup2(data, i);
        g_autoptr(GPtrArray) parsed = efi_signature_list_parse(cut, i, NULL);
        g_assert_cmpint(parsed != NULL, ==, i == first_size);
    }
    g_autofree guint8 *copy = g_memdup2(data, size);
    for (gsize i = 16; i < 28; i++) {
        guint8 old = copy[i];
        copy[i] = 0xff;
        g_assert_null(efi_signature_list_parse(copy, size, NULL));
        copy[i] = old;
    }
}

static void test_list_sbsiglist(void) {
    if (!test_have_tool("sbsiglist") || !test_have_tool("openssl"))
        return;
    g_autoptr(TestKeys) keys = test_keys_new("list");
    g_autofree char *owner = efi_guid_to_string(&PARTICLEOS_SIGNATURE_OWNER_GUID);
    g_autoptr(GPtrArray) certificates = array_of(keys->certificate, NULL);
    g_autoptr(GBytes) ours = efi_signature_list_build(certificates, &PARTICLEOS_SIGNATURE_OWNER_GUID);
    g_autofree char *path = test_file_bytes(keys, "ours.esl", ours);
    g_assert_true(test_shell(NULL,
            "cd %s && openssl x509 -in test.crt -outform der -out test.der && "
            "sbsiglist --owner %s --type x509 --output theirs.esl test.der && cmp ours.esl theirs.esl",
            keys->directory, owner));
}

static void test_list_efitools(void) {
    if (!test_have_tool("sig-list-to-certs") || !test_have_tool("openssl"))
        return;
    g_autoptr(TestKeys) keys = test_keys_new("one");
    g_autoptr(TestKeys) other = test_keys_new("other");
    g_autoptr(GPtrArray) certificates = array_of(keys->certificate, other->certificate);
    g_autoptr(GBytes) ours = efi_signature_list_build(certificates, &PARTICLEOS_SIGNATURE_OWNER_GUID);
    g_autofree char *path = test_file_bytes(keys, "ours.esl", ours);
    g_assert_true(test_shell(NULL,
            "cd %s && sig-list-to-certs ours.esl out && openssl x509 -in test.crt -outform der | "
            "cmp - out-0.der && openssl x509 -in %s -outform der | cmp - out-1.der",
            keys->directory, other->certificate_path));
}

static void test_list_sha256(void) {
    guint8 digests[2 * 32];
    for (gsize i = 0; i < sizeof digests; i++)
        digests[i] = (guint8) i;
    g_autoptr(GBytes) list = efi_signature_list_build_sha256(digests, 2, &PARTICLEOS_SIGNATURE_OWNER_GUID);
    g_assert_cmpuint(g_bytes_get_size(list), ==, 28 + 2 * 48);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) read =
            efi_signature_list_parse(g_bytes_get_data(list, NULL), g_bytes_get_size(list), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(read->len, ==, 2);
    for (guint i = 0; i < read->len; i++) {
        const EfiSignature *signature = read->pdata[i];
        g_assert_true(efi_guid_equal(&signature->type, &EFI_CERT_SHA256_GUID));
        g_assert_true(efi_guid_equal(&signature->owner, &PARTICLEOS_SIGNATURE_OWNER_GUID));
        g_assert_cmpmem(g_bytes_get_data(signature->data, NULL), g_bytes_get_size(signature->data),
                digests + 32 * i, 32);
    }
}

/* Replacing and appending are signed differently, so one cannot be passed off as the other. */
static void test_append(void) {
    g_autoptr(TestKeys) keys = test_keys_new("append");
    g_autoptr(GError) error = NULL;
    guint8 digest[32] = {1, 2, 3};
    g_autoptr(GBytes) list = efi_signature_list_build_sha256(digest, 1, &PARTICLEOS_SIGNATURE_OWNER_GUID);
    for (EfiUpdate kind = EFI_UPDATE_REPLACE; kind <= EFI_UPDATE_APPEND; kind++) {
        g_autoptr(GBytes) update =
                efi_authenticated_variable_sign("dbx", kind, 0, list, keys->key, keys->certificate, &error);
        g_assert_no_error(error);
        g_autoptr(EfiAuthenticatedVariable) variable = efi_authenticated_variable_parse(
                g_bytes_get_data(update, NULL), g_bytes_get_size(update), &error);
        g_assert_no_error(error);
        g_assert_true(efi_authenticated_variable_verify(variable, "dbx", kind, NULL, &error));
        g_assert_no_error(error);
        EfiUpdate other = kind == EFI_UPDATE_APPEND ? EFI_UPDATE_REPLACE : EFI_UPDATE_APPEND;
        g_assert_false(efi_authenticated_variable_verify(variable, "dbx", other, NULL, NULL));
    }
}

static void test_variable(void) {
    static const char *const names[] = {"PK", "KEK", "db", "dbx"};
    g_autoptr(TestKeys) keys = test_keys_new("variable");
    g_autoptr(GPtrArray) certificates = array_of(keys->certificate, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) update = efi_enrolment_variable_build(
                names[i], 1700000000, certificates, keys->key, keys->certificate, &error);
        g_assert_no_error(error);
        g_autoptr(GBytes) again = efi_enrolment_variable_build(
                names[i], 1700000000, certificates, keys->key, keys->certificate, NULL);
        g_assert_true(g_bytes_equal(update, again));

        gsize size = 0;
        const guint8 *data = g_bytes_get_data(update, &size);
        /* 2023-11-14 22:13:20 UTC */
        static const guint8 time[16] = {0xe7, 0x07, 11, 14, 22, 13, 20};
        g_assert_cmpmem(data, 16, time, 16);
        g_autoptr(EfiAuthenticatedVariable) variable = efi_authenticated_variable_parse(data, size, &error);
        g_assert_no_error(error);
        g_autoptr(Certificate) signer = NULL;
        g_assert_true(
                efi_authenticated_variable_verify(variable, names[i], EFI_UPDATE_REPLACE, &signer, &error));
        g_assert_no_error(error);
        g_assert_true(certificate_equal(signer, keys->certificate));
        /* The name is part of what is signed. */
        const char *other = names[(i + 1) % G_N_ELEMENTS(names)];
        g_assert_false(efi_authenticated_variable_verify(variable, other, EFI_UPDATE_REPLACE, NULL, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISMATCH);
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(
            efi_enrolment_variable_build("Boot0000", 0, certificates, keys->key, keys->certificate, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED);
}

static void test_variable_damaged(void) {
    g_autoptr(TestKeys) keys = test_keys_new("variable");
    g_autoptr(GPtrArray) certificates = array_of(keys->certificate, NULL);
    g_autoptr(GBytes) update =
            efi_enrolment_variable_build("db", 0, certificates, keys->key, keys->certificate, NULL);
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(update, &size);
    for (gsize i = 0; i < size; i++) {
        g_autofree guint8 *cut = g_memdup2(data, i);
        g_autoptr(EfiAuthenticatedVariable) short_one = efi_authenticated_variable_parse(cut, i, NULL);
        g_autoptr(Certificate) signer = NULL;
        g_assert_false(short_one && efi_authenticated_variable_verify(
                                            short_one, "db", EFI_UPDATE_REPLACE, &signer, NULL));
    }
}

/* sbvarsign takes the time from the clock and signs attributes, so the bytes differ; the structure does not,
 * and each side reads the other's. */
static void test_variable_sbvarsign(void) {
    if (!test_have_tool("sbvarsign") || !test_have_tool("openssl"))
        return;
    g_autoptr(TestKeys) keys = test_keys_new("variable");
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) certificates = array_of(keys->certificate, NULL);
    g_autoptr(GBytes) lists = efi_signature_list_build(certificates, &PARTICLEOS_SIGNATURE_OWNER_GUID);
    g_autofree char *path = test_file_bytes(keys, "db.esl", lists);
    g_assert_true(test_shell(NULL,
            "cd %s && sbvarsign --key test.key --cert test.crt --attr NON_VOLATILE,BOOTSERVICE_ACCESS,"
            "RUNTIME_ACCESS,TIME_BASED_AUTHENTICATED_WRITE_ACCESS --output db.auth db db.esl",
            keys->directory));
    g_autofree char *auth = g_build_filename(keys->directory, "db.auth", NULL);
    g_autofree char *data = NULL;
    gsize size = 0;
    g_assert_true(g_file_get_contents(auth, &data, &size, NULL));
    g_autoptr(EfiAuthenticatedVariable) theirs = efi_authenticated_variable_parse(data, size, &error);
    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(theirs->payload, lists));
    g_assert_true(efi_authenticated_variable_verify(theirs, "db", EFI_UPDATE_REPLACE, NULL, &error));
    g_assert_no_error(error);
}

/* OpenSSL reads the signature once a ContentInfo is put around it, and finds it valid over the content that
 * the specification names, here assembled by a shell. */
static void test_variable_openssl(void) {
    if (!test_have_tool("openssl") || !test_have_tool("python3"))
        return;
    g_autoptr(TestKeys) keys = test_keys_new("variable");
    g_autoptr(GPtrArray) certificates = array_of(keys->certificate, NULL);
    g_autoptr(GBytes) update =
            efi_enrolment_variable_build("KEK", 86400, certificates, keys->key, keys->certificate, NULL);
    g_autofree char *path = test_file_bytes(keys, "KEK.auth", update);
    g_assert_true(test_shell(NULL,
            "cd %s && python3 -c '\n"
            "import struct, uuid\n"
            "d = open(\"KEK.auth\", \"rb\").read()\n"
            "n = struct.unpack_from(\"<I\", d, 16)[0]\n"
            "s, payload = d[40:16 + n], d[16 + n:]\n"
            "def tlv(t, v): return bytes([t, 0x82]) + struct.pack(\">H\", len(v)) + v\n"
            "oid = bytes.fromhex(\"06092a864886f70d010702\")\n"
            "open(\"KEK.p7\", \"wb\").write(tlv(0x30, oid + tlv(0xa0, s)))\n"
            "g = uuid.UUID(\"8be4df61-93ca-11d2-aa0d-00e098032b8c\").bytes_le\n"
            "time = struct.pack(\"<HBBBBBBIhBB\", 1970, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0)\n"
            "open(\"KEK.content\", \"wb\").write(\n"
            "    \"KEK\".encode(\"utf-16-le\") + g + struct.pack(\"<I\", 0x27) + time + payload)' && "
            "openssl smime -verify -binary -inform der -in KEK.p7 -content KEK.content -CAfile test.crt "
            "-out /dev/null",
            keys->directory));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/efi/signature-list/sha256", test_list_sha256);
    g_test_add_func("/efi/authenticated-variable/append", test_append);
    g_test_add_func("/efi/signature-list", test_list);
    g_test_add_func("/efi/signature-list/sbsiglist", test_list_sbsiglist);
    g_test_add_func("/efi/signature-list/efitools", test_list_efitools);
    g_test_add_func("/efi/authenticated-variable", test_variable);
    g_test_add_func("/efi/authenticated-variable/damaged", test_variable_damaged);
    g_test_add_func("/efi/authenticated-variable/sbvarsign", test_variable_sbvarsign);
    g_test_add_func("/efi/authenticated-variable/openssl", test_variable_openssl);
    return g_test_run();
}
