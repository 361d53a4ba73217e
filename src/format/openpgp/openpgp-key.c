/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

#include "crypto/sources/openssl-error.h"
#include "format/openpgp/openpgp-packet.h"

#define KEY_VERSION 4
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define P256_SIZE 32
#define ED25519_SIZE 32

/* Names of curves: object identifiers without tag. */
static const guint8 p256_oid[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const guint8 ed25519_oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01};

/* The number NAME of the key, with zeros in front if it is shorter than LEAST. */
static guint8 *get_number(EVP_PKEY *pkey, const char *name, gsize least, gsize *ret_size) {
    BIGNUM *number = NULL;
    guint8 *bytes = NULL;

    if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1)
        return NULL;
    *ret_size = MAX((gsize) BN_num_bytes(number), least);
    bytes = g_malloc(*ret_size);
    if (BN_bn2binpad(number, bytes, *ret_size) < 0)
        g_clear_pointer(&bytes, g_free);
    BN_free(number);
    return bytes;
}

static gboolean put_rsa(GByteArray *out, EVP_PKEY *pkey, GError **error) {
    int bits = EVP_PKEY_get_bits(pkey);
    gsize modulus_size, exponent_size;

    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
                "An RSA key with %d bits: those who check OpenPGP signatures take %d to %d", bits, RSA_BITS_MIN,
                RSA_BITS_MAX);
        return FALSE;
    }
    g_autofree guint8 *modulus = get_number(pkey, OSSL_PKEY_PARAM_RSA_N, 1, &modulus_size);
    g_autofree guint8 *exponent = get_number(pkey, OSSL_PKEY_PARAM_RSA_E, 1, &exponent_size);
    if (!modulus || !exponent)
        return crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot read the public RSA key");
    openpgp_put_mpi(out, modulus, modulus_size);
    openpgp_put_mpi(out, exponent, exponent_size);
    return TRUE;
}

static void put_curve(GByteArray *out, const guint8 *oid, gsize size) {
    openpgp_put_u8(out, size);
    g_byte_array_append(out, oid, size);
}

static gboolean put_p256(GByteArray *out, EVP_PKEY *pkey, GError **error) {
    guint8 point[1 + 2 * P256_SIZE] = {0x04}; /* not compressed */
    gsize x_size = 0, y_size = 0;
    g_autofree guint8 *x = get_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, P256_SIZE, &x_size);
    g_autofree guint8 *y = get_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, P256_SIZE, &y_size);

    if (!x || !y || x_size != P256_SIZE || y_size != P256_SIZE)
        return crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot read the public key on P-256");
    memcpy(point + 1, x, P256_SIZE);
    memcpy(point + 1 + P256_SIZE, y, P256_SIZE);
    put_curve(out, p256_oid, sizeof p256_oid);
    openpgp_put_mpi(out, point, sizeof point);
    return TRUE;
}

static gboolean put_ed25519(GByteArray *out, EVP_PKEY *pkey, GError **error) {
    guint8 point[1 + ED25519_SIZE] = {0x40}; /* "native form" */
    gsize size = ED25519_SIZE;

    if (EVP_PKEY_get_raw_public_key(pkey, point + 1, &size) != 1 || size != ED25519_SIZE)
        return crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot read the public Ed25519 key");
    put_curve(out, ed25519_oid, sizeof ed25519_oid);
    openpgp_put_mpi(out, point, sizeof point);
    return TRUE;
}

static gboolean is_p256(EVP_PKEY *pkey) {
    char group[64] = "";
    gsize length = 0;

    return EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof group, &length) == 1 &&
           (g_str_equal(group, "prime256v1") || g_str_equal(group, "P-256"));
}

/* Everything of the key after its time. */
static gboolean put_algorithm(OpenpgpKey *key, GError **error) {
    const struct {
        gboolean is;
        OpenpgpAlgorithm algorithm;
        gboolean (*put)(GByteArray *out, EVP_PKEY *pkey, GError **error);
    } kinds[] = {
            {EVP_PKEY_is_a(key->public_key, "RSA"), OPENPGP_RSA, put_rsa},
            {EVP_PKEY_is_a(key->public_key, "ED25519"), OPENPGP_EDDSA, put_ed25519},
            {is_p256(key->public_key), OPENPGP_ECDSA, put_p256},
    };
    const char *type = EVP_PKEY_get0_type_name(key->public_key);

    ERR_clear_error();
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].is) {
            key->algorithm = kinds[i].algorithm;
            openpgp_put_u8(key->body, key->algorithm);
            return kinds[i].put(key->body, key->public_key, error);
        }
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
            "A key of the type %s%s cannot make OpenPGP signatures that everybody reads; take Ed25519, RSA with %d to "
            "%d bits, or EC on P-256",
            type ? type : "(unknown)", g_strcmp0(type, "EC") == 0 ? " on another curve than P-256" : "", RSA_BITS_MIN,
            RSA_BITS_MAX);
    return FALSE;
}

/* What signatures and the fingerprint take of the key. */
static GByteArray *hashed_key(const OpenpgpKey *key) {
    GByteArray *bytes = g_byte_array_new();

    openpgp_put_u8(bytes, 0x99);
    openpgp_put_u16(bytes, key->body->len);
    g_byte_array_append(bytes, key->body->data, key->body->len);
    return bytes;
}

static void set_fingerprint(OpenpgpKey *key) {
    g_autoptr(GByteArray) bytes = hashed_key(key);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    gsize size = sizeof key->fingerprint;

    g_checksum_update(sum, bytes->data, bytes->len);
    key->fingerprint_text = g_ascii_strup(g_checksum_get_string(sum), -1);
    g_checksum_get_digest(sum, key->fingerprint, &size);
}

static gboolean check_user_id(const char *user_id, GError **error) {
    gsize length = strlen(user_id);

    if (length > 0 && length <= OPENPGP_USER_ID_MAX && g_utf8_validate(user_id, length, NULL))
        return TRUE;
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
            "The name of an OpenPGP key has to be 1 to %d bytes of UTF-8", OPENPGP_USER_ID_MAX);
    return FALSE;
}

OpenpgpKey *openpgp_key_new(EVP_PKEY *public_key, const char *user_id, gint64 created, OpenpgpSignFunc sign,
        gpointer data, GError **error) {
    if (!check_user_id(user_id, error) || !openpgp_check_time(created, error))
        return NULL;

    g_autoptr(OpenpgpKey) key = g_new0(OpenpgpKey, 1);
    EVP_PKEY_up_ref(public_key);
    key->public_key = public_key;
    key->user_id = g_strdup(user_id);
    key->created = created;
    key->sign = sign;
    key->data = data;
    key->body = g_byte_array_new();
    openpgp_put_u8(key->body, KEY_VERSION);
    openpgp_put_u32(key->body, created);
    if (!put_algorithm(key, error))
        return NULL;
    set_fingerprint(key);
    return g_steal_pointer(&key);
}

static GBytes *sign_with_source(gpointer data, const void *bytes, gsize size, GError **error) {
    return key_source_sign(data, bytes, size, error);
}

OpenpgpKey *openpgp_key_new_for_source(KeySource *source, const char *user_id, gint64 created, GError **error) {
    OpenpgpKey *key =
            openpgp_key_new(key_source_peek(source), user_id, created, sign_with_source, source, error);

    if (key)
        key->source = key_source_ref(source);
    else
        g_prefix_error(error, "%s: ", key_source_get_description(source));
    return key;
}

OpenpgpKey *openpgp_key_new_for_certificate(KeySource *key, const Certificate *certificate, GError **error) {
    g_autofree char *name = certificate_get_common_name(certificate);
    gint64 from, until;

    if (!certificate_check_key(certificate, key, error) ||
            !certificate_get_validity(certificate, &from, &until, error))
        return NULL;
    return openpgp_key_new_for_source(key, name ? name : certificate_get_subject(certificate), from, error);
}

void openpgp_key_free(OpenpgpKey *key) {
    if (!key)
        return;
    EVP_PKEY_free(key->public_key);
    g_free(key->user_id);
    g_clear_pointer(&key->body, g_byte_array_unref);
    g_free(key->fingerprint_text);
    key_source_unref(key->source);
    g_free(key);
}

const char *openpgp_key_get_fingerprint(const OpenpgpKey *key) {
    return key->fingerprint_text;
}

gint64 openpgp_key_get_created(const OpenpgpKey *key) {
    return key->created;
}

/* The key signs; it has no subkeys, so that nothing but the key itself has to be bound. It does not expire: a
 * device that was off for years still has to take its updates. */
static GByteArray *self_description(const OpenpgpKey *key) {
    static const guint8 flags[] = {0x01 | 0x02}; /* certifies, signs */
    static const guint8 ciphers[] = {9, 7};      /* AES-256, AES-128 */
    static const guint8 hashes[] = {10, 9, OPENPGP_SHA256};
    static const guint8 features[] = {0x01}; /* modification detection */
    static const guint8 server[] = {0x80};   /* nobody else changes it */
    static const guint8 primary[] = {1};
    GByteArray *hashed = g_byte_array_new();

    openpgp_put_origin(hashed, key, key->created);
    openpgp_put_subpacket(hashed, OPENPGP_SUBPACKET_KEY_FLAGS, flags, sizeof flags);
    openpgp_put_subpacket(hashed, OPENPGP_SUBPACKET_PREFERRED_CIPHERS, ciphers, sizeof ciphers);
    openpgp_put_subpacket(hashed, OPENPGP_SUBPACKET_PREFERRED_HASHES, hashes, sizeof hashes);
    openpgp_put_subpacket(hashed, OPENPGP_SUBPACKET_FEATURES, features, sizeof features);
    openpgp_put_subpacket(hashed, OPENPGP_SUBPACKET_SERVER, server, sizeof server);
    openpgp_put_subpacket(hashed, OPENPGP_SUBPACKET_PRIMARY, primary, sizeof primary);
    return hashed;
}

static GBytes *sign_itself(const OpenpgpKey *key, GError **error) {
    g_autoptr(GByteArray) hashed = self_description(key);
    g_autoptr(GByteArray) bytes = hashed_key(key);
    gsize length = strlen(key->user_id);

    openpgp_put_u8(bytes, 0xb4);
    openpgp_put_u32(bytes, length);
    g_byte_array_append(bytes, (const guint8 *) key->user_id, length);
    return openpgp_sign(key, OPENPGP_SIGNATURE_POSITIVE, hashed, bytes, error);
}

GBytes *openpgp_key_export(const OpenpgpKey *key, GError **error) {
    g_autoptr(GBytes) signature = sign_itself(key, error);
    g_autoptr(GByteArray) out = g_byte_array_new();

    if (!signature)
        return NULL;
    openpgp_put_packet(out, OPENPGP_PACKET_PUBLIC_KEY, key->body->data, key->body->len);
    openpgp_put_packet(out, OPENPGP_PACKET_USER_ID, key->user_id, strlen(key->user_id));
    g_byte_array_append(out, g_bytes_get_data(signature, NULL), g_bytes_get_size(signature));
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}
