/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/ecdsa.h>
#include <string.h>

#include "crypto/sources/openssl-error.h"
#include "format/openpgp/openpgp-packet.h"

#define SIGNATURE_VERSION 4
#define ED25519_HALF 32

struct OpenpgpSignature {
    const OpenpgpKey *key;
    GByteArray *bytes; /* a manifest is small, and a key that is elsewhere wants to see it */
};

void openpgp_put_origin(GByteArray *hashed, const OpenpgpKey *key, guint32 when) {
    guint32 time = GUINT32_TO_BE(when);
    guint8 issuer[1 + OPENPGP_FINGERPRINT_SIZE] = {SIGNATURE_VERSION};

    memcpy(issuer + 1, key->fingerprint, OPENPGP_FINGERPRINT_SIZE);
    openpgp_put_subpacket(hashed, OPENPGP_SUBPACKET_CREATED, &time, sizeof time);
    openpgp_put_subpacket(hashed, OPENPGP_SUBPACKET_ISSUER_FINGERPRINT, issuer, sizeof issuer);
}

static void put_bignum(GByteArray *out, const BIGNUM *number) {
    gsize size = BN_num_bytes(number);
    g_autofree guint8 *bytes = g_malloc(MAX(size, 1));

    BN_bn2bin(number, bytes);
    openpgp_put_mpi(out, bytes, size);
}

static gboolean put_ecdsa(GByteArray *out, const guint8 *data, gsize size) {
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &data, size);

    if (!signature)
        return FALSE;
    put_bignum(out, ECDSA_SIG_get0_r(signature));
    put_bignum(out, ECDSA_SIG_get0_s(signature));
    ECDSA_SIG_free(signature);
    return TRUE;
}

static gboolean put_numbers(GByteArray *out, OpenpgpAlgorithm algorithm, GBytes *signature) {
    gsize size;
    const guint8 *data = g_bytes_get_data(signature, &size);

    switch (algorithm) {
    case OPENPGP_RSA:
        openpgp_put_mpi(out, data, size);
        return TRUE;
    case OPENPGP_ECDSA:
        return put_ecdsa(out, data, size);
    case OPENPGP_EDDSA:
        if (size != 2 * ED25519_HALF)
            return FALSE;
        openpgp_put_mpi(out, data, ED25519_HALF);
        openpgp_put_mpi(out, data + ED25519_HALF, ED25519_HALF);
        return TRUE;
    }
    return FALSE;
}

/* What of the packet is signed. */
static GByteArray *signed_part(const OpenpgpKey *key, OpenpgpSignatureType type, const GByteArray *hashed) {
    GByteArray *body = g_byte_array_new();

    openpgp_put_u8(body, SIGNATURE_VERSION);
    openpgp_put_u8(body, type);
    openpgp_put_u8(body, key->algorithm);
    openpgp_put_u8(body, OPENPGP_SHA256);
    openpgp_put_u16(body, hashed->len);
    g_byte_array_append(body, hashed->data, hashed->len);
    return body;
}

/* Behind what is signed, how much of the packet belongs to it. */
static void add_trailer(GByteArray *bytes, const GByteArray *part) {
    g_byte_array_append(bytes, part->data, part->len);
    openpgp_put_u8(bytes, SIGNATURE_VERSION);
    openpgp_put_u8(bytes, 0xff);
    openpgp_put_u32(bytes, part->len);
}

/* Those who know only key IDs find the key by this. */
static void put_issuer(GByteArray *body, const OpenpgpKey *key) {
    g_autoptr(GByteArray) subpackets = g_byte_array_new();

    openpgp_put_subpacket(subpackets, OPENPGP_SUBPACKET_ISSUER,
            key->fingerprint + OPENPGP_FINGERPRINT_SIZE - OPENPGP_KEY_ID_SIZE, OPENPGP_KEY_ID_SIZE);
    openpgp_put_u16(body, subpackets->len);
    g_byte_array_append(body, subpackets->data, subpackets->len);
}

GBytes *openpgp_sign(const OpenpgpKey *key, OpenpgpSignatureType type, const GByteArray *hashed,
        GByteArray *bytes, GError **error) {
    guint8 digest[SHA256_SIZE];
    g_autoptr(GByteArray) body = signed_part(key, type, hashed);
    g_autoptr(GByteArray) packet = g_byte_array_new();

    add_trailer(bytes, body);
    sha256_buffer(bytes->data, bytes->len, digest);
    g_autoptr(GBytes) signature = key->algorithm == OPENPGP_EDDSA
                                          ? key->sign(key->data, digest, sizeof digest, error)
                                          : key->sign(key->data, bytes->data, bytes->len, error);
    if (!signature || !public_key_verify_digest(key->public_key, digest, signature, error)) {
        g_prefix_error(error, "OpenPGP signature by the key %s: ", key->fingerprint_text);
        return NULL;
    }
    put_issuer(body, key);
    g_byte_array_append(body, digest, 2);
    if (!put_numbers(body, key->algorithm, signature)) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_MALFORMED, "The key %s made a signature that is none",
                key->fingerprint_text);
        return NULL;
    }
    openpgp_put_packet(packet, OPENPGP_PACKET_SIGNATURE, body->data, body->len);
    return g_byte_array_free_to_bytes(g_steal_pointer(&packet));
}

OpenpgpSignature *openpgp_signature_new(const OpenpgpKey *key) {
    OpenpgpSignature *signature = g_new0(OpenpgpSignature, 1);

    signature->key = key;
    signature->bytes = g_byte_array_new();
    return signature;
}

void openpgp_signature_update(OpenpgpSignature *signature, const void *data, gsize size) {
    g_byte_array_append(signature->bytes, data, size);
}

GBytes *openpgp_signature_finish(OpenpgpSignature *signature, gint64 when, GError **error) {
    g_autoptr(GByteArray) hashed = g_byte_array_new();

    if (!openpgp_check_time(when, error))
        return NULL;
    if (when < signature->key->created) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_FAILED,
                "A signature of the time %" G_GINT64_FORMAT " would be older than its key (%" G_GINT64_FORMAT
                "), and nobody would accept it",
                when, signature->key->created);
        return NULL;
    }
    openpgp_put_origin(hashed, signature->key, when);
    return openpgp_sign(signature->key, OPENPGP_SIGNATURE_BINARY, hashed, signature->bytes, error);
}

void openpgp_signature_free(OpenpgpSignature *signature) {
    if (!signature)
        return;
    g_byte_array_unref(signature->bytes);
    g_free(signature);
}
