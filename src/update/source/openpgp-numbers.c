/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Public keys and signatures of OpenPGP, as OpenSSL takes them. */

#include "update/source/openpgp-reader.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 16384
#define ED25519_SIZE 32
#define POINT_SIZE_MAX 97

enum {
    ALGORITHM_RSA = 1,
    ALGORITHM_RSA_SIGN = 3,
    ALGORITHM_ECDSA = 19,
    ALGORITHM_EDDSA = 22,
    ALGORITHM_ED25519 = 27,
};

static const guint8 p256_oid[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const guint8 p384_oid[] = {0x2b, 0x81, 0x04, 0x00, 0x22};
static const guint8 ed25519_oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01};

/* A number of any size: how many bits it has, then its bytes. Only the one way to write it is taken. */
static gboolean take_mpi(Span *rest, Span *ret) {
    if (rest->size < 2)
        return FALSE;
    guint bits = rest->data[0] << 8 | rest->data[1];
    gsize size = (bits + 7) / 8;
    if (size > rest->size - 2 || (size > 0 && rest->data[2] >> ((bits - 1) % 8) != 1))
        return FALSE;
    *ret = (Span){rest->data + 2, size};
    rest->data += 2 + size;
    rest->size -= 2 + size;
    return TRUE;
}

static gboolean take_oid(Span *rest, Span *ret) {
    if (rest->size < 1 || rest->data[0] > rest->size - 1)
        return FALSE;
    *ret = (Span){rest->data + 1, rest->data[0]};
    rest->data += 1 + ret->size;
    rest->size -= 1 + ret->size;
    return TRUE;
}

static gboolean is_oid(Span oid, const guint8 *known, gsize size) {
    return oid.size == size && memcmp(oid.data, known, size) == 0;
}

static EVP_PKEY *key_from_params(const char *type, OSSL_PARAM_BLD *builder) {
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (!params || !context || EVP_PKEY_fromdata_init(context) != 1 ||
            EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *read_rsa(Span rest) {
    Span modulus, exponent;

    if (!take_mpi(&rest, &modulus) || !take_mpi(&rest, &exponent) || rest.size != 0 ||
            modulus.size < RSA_BITS_MIN / 8 || modulus.size > RSA_BITS_MAX / 8 || exponent.size == 0 ||
            exponent.size > 8)
        return NULL;
    BIGNUM *n = BN_bin2bn(modulus.data, (int) modulus.size, NULL);
    BIGNUM *e = BN_bin2bn(exponent.data, (int) exponent.size, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (n && e && builder && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
            OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        key = key_from_params("RSA", builder);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    if (key && EVP_PKEY_get_bits(key) < RSA_BITS_MIN)
        g_clear_pointer(&key, EVP_PKEY_free);
    return key;
}

static EVP_PKEY *read_ecdsa(Span rest) {
    Span oid, point;

    if (!take_oid(&rest, &oid) || !take_mpi(&rest, &point) || rest.size != 0 || point.size > POINT_SIZE_MAX)
        return NULL;
    const char *group = is_oid(oid, p256_oid, sizeof p256_oid)   ? "P-256"
                        : is_oid(oid, p384_oid, sizeof p384_oid) ? "P-384"
                                                                 : NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (group && builder && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
            OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.size) == 1)
        key = key_from_params("EC", builder);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static EVP_PKEY *read_eddsa(Span rest) {
    Span oid, point;

    if (!take_oid(&rest, &oid) || !is_oid(oid, ed25519_oid, sizeof ed25519_oid) || !take_mpi(&rest, &point) ||
            rest.size != 0 || point.size != 1 + ED25519_SIZE || point.data[0] != 0x40)
        return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point.data + 1, ED25519_SIZE);
}

EVP_PKEY *openpgp_read_key(Span body, guint8 *ret_algorithm, gint64 *ret_created) {
    EVP_PKEY *key = NULL;

    if (body.size < 6 || body.data[0] != 4)
        return NULL;
    const guint8 *at = body.data + 1;
    *ret_created = (guint32) at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
    *ret_algorithm = body.data[5];
    Span rest = {body.data + 6, body.size - 6};
    switch (*ret_algorithm) {
    case ALGORITHM_RSA:
    case ALGORITHM_RSA_SIGN:
        key = read_rsa(rest);
        break;
    case ALGORITHM_ECDSA:
        key = read_ecdsa(rest);
        break;
    case ALGORITHM_EDDSA:
        key = read_eddsa(rest);
        break;
    case ALGORITHM_ED25519:
        if (rest.size == ED25519_SIZE)
            key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, rest.data, rest.size);
        break;
    default:
        break;
    }
    ERR_clear_error();
    return key;
}

/* NUMBER with zeros in front to SIZE bytes. */
static gboolean pad(Span number, guint8 *ret, gsize size) {
    if (number.size > size)
        return FALSE;
    memset(ret, 0, size - number.size);
    memcpy(ret + size - number.size, number.data, number.size);
    return TRUE;
}

static gboolean check_rsa(EVP_PKEY *key, const char *name, const guint8 *digest, gsize size, Span rest) {
    gsize length = (gsize) EVP_PKEY_get_size(key);
    g_autofree guint8 *signature = g_malloc(length);
    Span number;

    if (!take_mpi(&rest, &number) || rest.size != 0 || !pad(number, signature, length))
        return FALSE;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    gboolean ok = context && EVP_PKEY_verify_init(context) == 1 &&
                  EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_signature_md(context, EVP_get_digestbyname(name)) == 1 &&
                  EVP_PKEY_verify(context, signature, length, digest, size) == 1;
    EVP_PKEY_CTX_free(context);
    return ok;
}

static gboolean check_ecdsa(EVP_PKEY *key, const guint8 *digest, gsize size, Span rest) {
    Span r, s;
    unsigned char *der = NULL;

    if (!take_mpi(&rest, &r) || !take_mpi(&rest, &s) || rest.size != 0 || r.size > 48 || s.size > 48)
        return FALSE;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    if (!signature || ECDSA_SIG_set0(signature, BN_bin2bn(r.data, (int) r.size, NULL),
                              BN_bin2bn(s.data, (int) s.size, NULL)) != 1) {
        ECDSA_SIG_free(signature);
        return FALSE;
    }
    int length = i2d_ECDSA_SIG(signature, &der);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    gboolean ok = length > 0 && context && EVP_PKEY_verify_init(context) == 1 &&
                  EVP_PKEY_verify(context, der, (gsize) length, digest, size) == 1;
    EVP_PKEY_CTX_free(context);
    OPENSSL_free(der);
    ECDSA_SIG_free(signature);
    return ok;
}

static gboolean check_ed25519(EVP_PKEY *key, gboolean in_numbers, const guint8 *digest, gsize size, Span rest) {
    guint8 signature[2 * ED25519_SIZE];
    Span r, s;

    if (in_numbers) {
        if (!take_mpi(&rest, &r) || !take_mpi(&rest, &s) || rest.size != 0 || !pad(r, signature, ED25519_SIZE) ||
                !pad(s, signature + ED25519_SIZE, ED25519_SIZE))
            return FALSE;
    } else if (rest.size == sizeof signature)
        memcpy(signature, rest.data, sizeof signature);
    else
        return FALSE;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    gboolean ok = context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                  EVP_DigestVerify(context, signature, sizeof signature, digest, size) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

gboolean openpgp_read_check_numbers(
        EVP_PKEY *key, guint8 algorithm, const char *name, const guint8 *digest, gsize size, Span numbers) {
    gboolean ok = algorithm == ALGORITHM_ECDSA ? check_ecdsa(key, digest, size, numbers)
                  : algorithm == ALGORITHM_EDDSA || algorithm == ALGORITHM_ED25519
                          ? check_ed25519(key, algorithm == ALGORITHM_EDDSA, digest, size, numbers)
                          : check_rsa(key, name, digest, size, numbers);

    ERR_clear_error();
    return ok;
}
