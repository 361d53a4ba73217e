/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/certificates/ssh-key.h"

#include <openssl/core_names.h>
#include <string.h>

#include "crypto/sources/openssl-error.h"

typedef BIGNUM Number;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Number, BN_free)

/* RFC 4251 section 5: a string is its length as 32 big endian bits, and its bytes. */
static void add_bytes(GByteArray *blob, const void *data, gsize length) {
    guint32 size = GUINT32_TO_BE((guint32) length);
    g_byte_array_append(blob, (const guint8 *) &size, sizeof(size));
    g_byte_array_append(blob, data, length);
}

static void add_text(GByteArray *blob, const char *text) {
    add_bytes(blob, text, strlen(text));
}

/* A positive number starts with a zero byte when its first bit is set. */
static void add_number(GByteArray *blob, const BIGNUM *number) {
    int length = BN_num_bytes(number);
    g_autofree guint8 *bytes = g_malloc0(length + 1);
    BN_bn2bin(number, bytes + 1);
    gboolean sign = length > 0 && (bytes[1] & 0x80);
    add_bytes(blob, sign ? bytes : bytes + 1, length + (sign ? 1 : 0));
}

static gboolean add_rsa(GByteArray *blob, EVP_PKEY *key) {
    BIGNUM *modulus = NULL, *exponent = NULL;
    gboolean good = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) == 1 &&
                    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1;
    g_autoptr(Number) n = modulus, e = exponent;
    if (!good)
        return FALSE;
    add_text(blob, "ssh-rsa");
    add_number(blob, e);
    add_number(blob, n);
    return TRUE;
}

static gboolean add_ed25519(GByteArray *blob, EVP_PKEY *key) {
    guint8 raw[32];
    gsize length = sizeof(raw);
    if (EVP_PKEY_get_raw_public_key(key, raw, &length) != 1)
        return FALSE;
    add_text(blob, "ssh-ed25519");
    add_bytes(blob, raw, length);
    return TRUE;
}

static gboolean add_ecdsa(GByteArray *blob, EVP_PKEY *key, const char **ret_type) {
    static const struct {
        const char *group, *type, *curve;
    } curves[] = {
            {"prime256v1", "ecdsa-sha2-nistp256", "nistp256"},
            {"secp384r1", "ecdsa-sha2-nistp384", "nistp384"},
            {"secp521r1", "ecdsa-sha2-nistp521", "nistp521"},
    };
    char group[64];
    guint8 point[1 + 2 * 66];
    gsize length;
    if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) != 1 ||
            EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &length) !=
                    1)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(curves); i++)
        if (strcmp(curves[i].group, group) == 0) {
            add_text(blob, curves[i].type);
            add_text(blob, curves[i].curve);
            add_bytes(blob, point, length);
            *ret_type = curves[i].type;
            return TRUE;
        }
    return FALSE;
}

char *certificate_to_ssh_key(const Certificate *certificate, GError **error) {
    g_autoptr(EVP_PKEY) key = X509_get_pubkey(certificate_peek(certificate));
    g_autoptr(GByteArray) blob = g_byte_array_new();
    const char *type = NULL;
    gboolean good = FALSE;
    if (key && EVP_PKEY_is_a(key, "RSA")) {
        type = "ssh-rsa";
        good = add_rsa(blob, key);
    } else if (key && EVP_PKEY_is_a(key, "ED25519")) {
        type = "ssh-ed25519";
        good = add_ed25519(blob, key);
    } else if (key && EVP_PKEY_is_a(key, "EC"))
        good = add_ecdsa(blob, key, &type);
    if (!good) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_UNSUPPORTED,
                "The key of the certificate %s is of a kind that SSH does not know: use RSA, Ed25519 or "
                "ECDSA over P-256, P-384 or P-521",
                certificate_get_description(certificate));
        return NULL;
    }
    g_autofree char *text = g_base64_encode(blob->data, blob->len);
    return g_strdup_printf("%s %s\n", type, text);
}
