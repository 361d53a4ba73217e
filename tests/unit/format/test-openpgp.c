/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OpenPGP: published vectors, and the verdicts of GnuPG, Sequoia and RNP. */
#include "test-keys.h"

#include <openssl/evp.h>

#include "base/hex.h"
#include "crypto/sources/openssl-error.h"
#include "format/openpgp/openpgp-packet.h"

#define CREATED 1700000000 /* 2023 */
#define SIGNED (CREATED + 86400)
#define USER_ID "Updates of Example ✓ <updates@example.org>"

static const char data[] = "0123 *image.raw\n4567 *image.efi\n";

static KeySource *make_source(const char *type) {
    g_autoptr(EVP_PKEY) pkey = g_str_equal(type, "Ed25519") ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                               : g_str_equal(type, "P-256") ? EVP_EC_gen("P-256")
                               : g_str_equal(type, "P-384") ? EVP_EC_gen("P-384")
                                                            : EVP_RSA_gen(g_ascii_strtoull(type + 3, NULL, 10));
    g_assert_nonnull(pkey);
    return key_source_new_from_pkey(pkey, type);
}

static OpenpgpKey *make_key(const char *type) {
    g_autoptr(GError) error = NULL;
    g_autoptr(KeySource) source = make_source(type);
    OpenpgpKey *key = openpgp_key_new_for_source(source, USER_ID, CREATED, &error);
    g_assert_no_error(error);
    return key;
}

static GBytes *sign(const OpenpgpKey *key) {
    g_autoptr(GError) error = NULL;
    g_autoptr(OpenpgpSignature) signature = openpgp_signature_new(key);
    openpgp_signature_update(signature, data, 10);
    openpgp_signature_update(signature, data + 10, strlen(data) - 10);
    GBytes *packet = openpgp_signature_finish(signature, SIGNED, &error);
    g_assert_no_error(error);
    return packet;
}

/* The check value that catalogues of CRCs give for it. */
static void test_crc24(void) {
    g_assert_cmphex(openpgp_crc24("", 0), ==, 0xb704ce);
    g_assert_cmphex(openpgp_crc24("123456789", 9), ==, 0x21cf02);
}

/* RFC 4880, section 6.6 */
static void test_armor(void) {
    gsize size;
    guint8 *packets = g_base64_decode("yDgBO22WxBHv7O8X7O/jygAEzol56iUKiXmV+XmpCtmpqQUKiQrFqclFqUDBovzS"
                                      "vBSFjNSiVHsuAA==",
            &size);
    g_autoptr(GBytes) bytes = g_bytes_new_take(packets, size);
    g_autofree char *text = openpgp_armor("MESSAGE", bytes);
    g_assert_cmpstr(text, ==,
            "-----BEGIN PGP MESSAGE-----\n\n"
            "yDgBO22WxBHv7O8X7O/jygAEzol56iUKiXmV+XmpCtmpqQUKiQrFqclFqUDBovzS\n"
            "vBSFjNSiVHsuAA==\n=njUN\n-----END PGP MESSAGE-----\n");
}

/* RFC 9580, appendix A.1 and A.2: a key and its signature of "OpenPGP". */
static void test_published(void) {
    static const char *const secret = "1a8b1ff05ded48e18bf50166c664ab023ea70003d78d9e41f5758a91d850f8d2";
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) raw = hex_decode(secret, -1);
    g_autoptr(EVP_PKEY) pkey =
            EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, g_bytes_get_data(raw, NULL), 32);
    g_autoptr(KeySource) source = key_source_new_from_pkey(pkey, "published");
    g_autoptr(OpenpgpKey) key = openpgp_key_new_for_source(source, "any", 0x53f35f0b, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(openpgp_key_get_fingerprint(key), ==, "C959BDBAFA32A2F89A153B678CFDE12197965A9A");

    g_autoptr(GByteArray) packet = g_byte_array_new();
    openpgp_put_packet(packet, OPENPGP_PACKET_PUBLIC_KEY, key->body->data, key->body->len);
    g_autofree char *text = g_base64_encode(packet->data, packet->len);
    g_assert_cmpstr(text, ==, "xjMEU/NfCxYJKwYBBAHaRw8BAQdAPwmJlL3ZFu1AUxl5NOSofIBzOhKA1i+AEJkuQ+47JAY=");

    g_autoptr(GByteArray) hashed = g_byte_array_new();
    guint32 when = GUINT32_TO_BE(0x55f95f95);
    openpgp_put_subpacket(hashed, OPENPGP_SUBPACKET_CREATED, &when, sizeof when);
    g_autoptr(GByteArray) stream = g_byte_array_new();
    g_byte_array_append(stream, (const guint8 *) "OpenPGP", 7);
    g_autoptr(GBytes) signature = openpgp_sign(key, OPENPGP_SIGNATURE_BINARY, hashed, stream, &error);
    g_assert_no_error(error);
    g_autofree char *hex = hex_encode(g_bytes_get_data(signature, NULL), g_bytes_get_size(signature));
    g_assert_cmpstr(hex, ==,
            "c25e040016080006050255f95f95000a09108cfde12197965a9af622"
            "00ff56f90cca98e2102637bd983fdb16c131dfd27ed82bf4dde5606e0d756aed3366"
            "0100d09c4fa11527f038e0f57f2201d82f2ea2c9033265fa6ceb489e854bae61b404");
}

static void test_numbers(void) {
    static const struct {
        guint8 bytes[3];
        const char *mpi;
    } numbers[] = {{{0, 0, 0}, "0000"}, {{0, 0, 1}, "000101"}, {{0, 1, 0xff}, "000901ff"}, {{0x80, 0, 0}, "0018800000"}};
    static const struct {
        gsize size;
        const char *header;
    } packets[] = {{191, "cdbf"}, {192, "cdc000"}, {8383, "cddfff"}, {8384, "cdff000020c0"}};

    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autoptr(GByteArray) out = g_byte_array_new();
        openpgp_put_mpi(out, numbers[i].bytes, 3);
        g_autofree char *hex = hex_encode(out->data, out->len);
        g_assert_cmpstr(hex, ==, numbers[i].mpi);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(packets); i++) {
        g_autoptr(GByteArray) out = g_byte_array_new();
        g_autofree guint8 *content = g_malloc0(packets[i].size);
        openpgp_put_packet(out, OPENPGP_PACKET_USER_ID, content, packets[i].size);
        g_autofree char *hex = hex_encode(out->data, out->len - packets[i].size);
        g_assert_cmpstr(hex, ==, packets[i].header);
    }
}

static const char *const deterministic[] = {"RSA2048", "RSA4096", "Ed25519"};

static void test_deterministic(void) {
    for (gsize i = 0; i < G_N_ELEMENTS(deterministic); i++) {
        g_autoptr(OpenpgpKey) key = make_key(deterministic[i]);
        g_autoptr(GBytes) signature = sign(key), again = sign(key);
        g_autoptr(GBytes) ring = openpgp_key_export(key, NULL), ring_again = openpgp_key_export(key, NULL);
        g_assert_true(g_bytes_equal(signature, again));
        g_assert_true(g_bytes_equal(ring, ring_again));
    }
}

/* $D holds: data, ring.pgp and ring.asc (the key), sig and sig.asc. */
static const struct {
    const char *tool, *command;
} judges[] = {
        {"gpgv", "gpgv --homedir $D/home --keyring $D/ring.pgp $D/sig $D/data"},
        /* As systemd-importd and systemd-sysupdate call it. */
        {"gpg", "gpg --no-options --no-default-keyring --no-auto-key-locate --no-auto-check-trustdb --batch "
                "--trust-model=always --homedir=$D/home --keyring=$D/ring.pgp --verify $D/sig - < $D/data"},
        {"gpg", "rm -rf $D/import && mkdir -m 700 $D/import && gpg --batch --homedir $D/import --import $D/ring.asc && "
                "gpg --batch --homedir $D/import --verify $D/sig.asc $D/data"},
        {"sqv", "sqv --keyring $D/ring.pgp $D/sig $D/data"},
        {"sqop", "sqop verify $D/sig.asc $D/ring.asc < $D/data"},
        {"rnp", "rnp --homedir $D/home --keyfile $D/ring.pgp --source $D/data --verify $D/sig"},
};

static void put(const char *directory, const char *name, GBytes *content) {
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_file_set_contents(path, g_bytes_get_data(content, NULL), g_bytes_get_size(content), &error);
    g_assert_no_error(error);
}

static void put_both(const char *directory, const char *name, const char *extension, const char *type, GBytes *packets) {
    g_autofree char *binary = g_strconcat(name, extension, NULL), *armored = g_strconcat(name, ".asc", NULL);
    g_autofree char *text = openpgp_armor(type, packets);
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    put(directory, binary, packets);
    put(directory, armored, bytes);
}

static GBytes *changed(GBytes *bytes, gsize at) {
    gsize size;
    const guint8 *original = g_bytes_get_data(bytes, &size);
    guint8 *copy = g_memdup2(original, size);
    copy[at] ^= 1;
    return g_bytes_new_take(copy, size);
}

static void judge(const char *directory, gboolean good) {
    for (gsize i = 0; i < G_N_ELEMENTS(judges); i++) {
        g_autofree char *path = g_find_program_in_path(judges[i].tool);
        if (path)
            g_assert_cmpint(test_shell(NULL, "D=%s; %s", directory, judges[i].command), ==, good);
        else
            g_test_message("%s is not installed", judges[i].tool);
    }
}

static void write_all(const char *directory, GBytes *content, GBytes *ring, GBytes *signature) {
    put(directory, "data", content);
    put_both(directory, "ring", ".pgp", OPENPGP_ARMOR_PUBLIC_KEY, ring);
    put_both(directory, "sig", "", OPENPGP_ARMOR_SIGNATURE, signature);
}

/* Whatever byte of signature or key is another one, nobody accepts it. Nor is another key of the same name. */
static void judge_changes(
        const char *directory, const char *type, GBytes *content, GBytes *ring, GBytes *signature) {
    gsize size = g_bytes_get_size(signature);
    const gsize places[] = {size - 5 /* number */, 2 + 2 /* algorithm */, 2 + 9 /* time */};

    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autoptr(GBytes) other = changed(signature, places[i]);
        write_all(directory, content, ring, other);
        judge(directory, FALSE);
    }
    g_autoptr(GBytes) other_ring = changed(ring, 40); /* the key itself */
    write_all(directory, content, other_ring, signature);
    judge(directory, FALSE);

    g_autoptr(OpenpgpKey) stranger = make_key(type);
    g_autoptr(GBytes) strange_ring = openpgp_key_export(stranger, NULL);
    g_assert_nonnull(strange_ring);
    write_all(directory, content, strange_ring, signature);
    judge(directory, FALSE);
}

static void test_judges(gconstpointer type) {
    g_autoptr(GError) error = NULL;
    g_autofree char *directory = g_dir_make_tmp("particleos-openpgp-XXXXXX", &error);
    g_autofree char *home = g_build_filename(directory, "home", NULL);
    g_autoptr(OpenpgpKey) key = make_key(type);
    g_autoptr(GBytes) content = g_bytes_new_static(data, strlen(data));
    g_autoptr(GBytes) ring = openpgp_key_export(key, &error);
    g_assert_no_error(error);
    g_autoptr(GBytes) signature = sign(key);
    g_assert_cmpint(g_mkdir(home, 0700), ==, 0);

    write_all(directory, content, ring, signature);
    judge(directory, TRUE);
    if (test_have_tool("gpg")) {
        g_autofree char *shown = NULL;
        g_assert_true(test_shell(&shown, "gpg --homedir %s --batch --with-colons --show-keys < %s/ring.pgp", home, directory));
        g_assert_nonnull(strstr(shown, openpgp_key_get_fingerprint(key)));
        g_assert_nonnull(strstr(shown, ":1700000000:"));
        g_assert_nonnull(strstr(shown, "Updates of Example ✓"));
        g_assert_nonnull(strstr(shown, ":scSC:"));
    }
    g_autoptr(GBytes) other_content = changed(content, 3);
    write_all(directory, other_content, ring, signature);
    judge(directory, FALSE);
    if (g_str_equal(type, "Ed25519"))
        judge_changes(directory, type, content, ring, signature);
    g_assert_true(test_shell(NULL, "rm -rf %s", directory));
}

static void assert_refused(const char *type, const char *user_id, gint64 created, const char *message) {
    g_autoptr(GError) error = NULL;
    g_autoptr(KeySource) source = make_source(type);
    g_assert_null(openpgp_key_new_for_source(source, user_id, created, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, message));
}

static void test_refuses(void) {
    g_autofree char *long_name = g_strnfill(OPENPGP_USER_ID_MAX + 1, 'x');
    assert_refused("RSA1024", "x", CREATED, "1024 bits");
    assert_refused("P-384", "x", CREATED, "another curve than P-256");
    assert_refused("Ed25519", "", CREATED, "name");
    assert_refused("Ed25519", "\xff", CREATED, "UTF-8");
    assert_refused("Ed25519", long_name, CREATED, "1024 bytes");
    assert_refused("Ed25519", "x", -1, "-1");
    assert_refused("Ed25519", "x", (gint64) 1 << 32, "4294967296");

    g_autoptr(GError) error = NULL;
    g_autoptr(OpenpgpKey) key = make_key("Ed25519");
    g_autoptr(OpenpgpSignature) signature = openpgp_signature_new(key);
    g_assert_null(openpgp_signature_finish(signature, CREATED - 1, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "older than its key"));
}

static GBytes *sign_with_other(gpointer source, const void *bytes, gsize size, GError **error) {
    return key_source_sign(source, bytes, size, error);
}

static GBytes *sign_nonsense(gpointer unused, const void *bytes, gsize size, GError **error) {
    return g_bytes_new_static("nonsense", 8);
}

/* What does not fit the public key never gets out. */
static void test_other_private_key(void) {
    static const char *const types[] = {"RSA2048", "P-256", "Ed25519"};
    static const OpenpgpSignFunc functions[] = {sign_with_other, sign_nonsense};
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(KeySource) source = make_source(types[i]), other = make_source(types[i]);
        for (gsize j = 0; j < G_N_ELEMENTS(functions); j++) {
            g_autoptr(GError) error = NULL;
            g_autoptr(OpenpgpKey) key =
                    openpgp_key_new(key_source_peek(source), "x", CREATED, functions[j], other, &error);
            g_assert_no_error(error);
            g_assert_null(openpgp_key_export(key, &error));
            g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISMATCH);
            g_assert_nonnull(strstr(error->message, openpgp_key_get_fingerprint(key)));
        }
    }
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/openpgp/crc24", test_crc24);
    g_test_add_func("/openpgp/armor", test_armor);
    g_test_add_func("/openpgp/published", test_published);
    g_test_add_func("/openpgp/numbers", test_numbers);
    g_test_add_func("/openpgp/deterministic", test_deterministic);
    g_test_add_data_func("/openpgp/judges/rsa2048", "RSA2048", test_judges);
    g_test_add_data_func("/openpgp/judges/rsa4096", "RSA4096", test_judges);
    g_test_add_data_func("/openpgp/judges/ed25519", "Ed25519", test_judges);
    g_test_add_data_func("/openpgp/judges/p256", "P-256", test_judges);
    g_test_add_func("/openpgp/refuses", test_refuses);
    g_test_add_func("/openpgp/other-private-key", test_other_private_key);
    return g_test_run();
}
