/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/sshsig/ssh-public-key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <string.h>

#include "base/sha256.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define ED25519_KEY_SIZE 32
#define ED25519_SIGNATURE_SIZE 64
/* PROTOCOL.u2f: somebody touched it. */
#define FLAG_USER_PRESENT 0x01

typedef BIGNUM Number;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Number, BN_free)
typedef OSSL_PARAM Parameters;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Parameters, OSSL_PARAM_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ECDSA_SIG, ECDSA_SIG_free)

static const struct {
    const char *type;
    SshKeyKind kind;
    const char *curve, *group, *digest;
} kinds[] = {
        {"ssh-ed25519", SSH_KEY_ED25519},
        {"ecdsa-sha2-nistp256", SSH_KEY_ECDSA, "nistp256", "prime256v1", "SHA256"},
        {"ecdsa-sha2-nistp384", SSH_KEY_ECDSA, "nistp384", "secp384r1", "SHA384"},
        {"ecdsa-sha2-nistp521", SSH_KEY_ECDSA, "nistp521", "secp521r1", "SHA512"},
        {"ssh-rsa", SSH_KEY_RSA},
        {"sk-ssh-ed25519@openssh.com", SSH_KEY_SK_ED25519},
        {"sk-ecdsa-sha2-nistp256@openssh.com", SSH_KEY_SK_ECDSA, "nistp256", "prime256v1", "SHA256"},
};

void ssh_public_key_clear(SshPublicKey *key) {
    g_clear_pointer(&key->key, EVP_PKEY_free);
}

/* ---- keys ---- */

static EVP_PKEY *make_ed25519(SshReader *reader) {
    SshBytes raw;

    return ssh_read_string(reader, &raw) && raw.size == ED25519_KEY_SIZE
                   ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw.data, raw.size)
                   : NULL;
}

/* NULL, too, for a point that is not on its curve: OpenSSL looks. */
static EVP_PKEY *make_from(const char *algorithm, OSSL_PARAM_BLD *builder) {
    g_autoptr(Parameters) parameters = OSSL_PARAM_BLD_to_param(builder);
    g_autoptr(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
    EVP_PKEY *key = NULL;

    if (!parameters || !context || EVP_PKEY_fromdata_init(context) != 1 ||
            EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        return NULL;
    return key;
}

static EVP_PKEY *make_ecdsa(SshReader *reader, const char *curve, const char *group) {
    g_autoptr(OSSL_PARAM_BLD) builder = OSSL_PARAM_BLD_new();
    SshBytes name, point;

    if (!builder || !ssh_read_string(reader, &name) || !ssh_bytes_are(name, curve) ||
            !ssh_read_string(reader, &point) || point.size == 0 || point.data[0] != 0x04 ||
            OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
            OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.size) != 1)
        return NULL;
    return make_from("EC", builder);
}

static EVP_PKEY *make_rsa(SshReader *reader) {
    g_autoptr(OSSL_PARAM_BLD) builder = OSSL_PARAM_BLD_new();
    SshBytes exponent, modulus;

    if (!builder || !ssh_read_positive(reader, &exponent) || !ssh_read_positive(reader, &modulus) || exponent.size > 8 ||
            modulus.size > RSA_BITS_MAX / 8)
        return NULL;
    g_autoptr(Number) e = BN_bin2bn(exponent.data, (int) exponent.size, NULL);
    g_autoptr(Number) n = BN_bin2bn(modulus.data, (int) modulus.size, NULL);
    if (!e || !n || !BN_is_odd(e) || BN_is_one(e) || !BN_is_odd(n) || BN_num_bits(n) < RSA_BITS_MIN ||
            OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) != 1 ||
            OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) != 1)
        return NULL;
    return make_from("RSA", builder);
}

static EVP_PKEY *make_key(SshReader *reader, guint kind) {
    switch (kinds[kind].kind) {
    case SSH_KEY_ED25519:
    case SSH_KEY_SK_ED25519:
        return make_ed25519(reader);
    case SSH_KEY_ECDSA:
    case SSH_KEY_SK_ECDSA:
        return make_ecdsa(reader, kinds[kind].curve, kinds[kind].group);
    case SSH_KEY_RSA:
        return make_rsa(reader);
    }
    return NULL;
}

static gboolean is_token(SshKeyKind kind) {
    return kind == SSH_KEY_SK_ED25519 || kind == SSH_KEY_SK_ECDSA;
}

gboolean ssh_public_key_read(SshBytes blob, SshPublicKey *ret) {
    SshReader reader = {blob.data, blob.size};
    g_auto(SshPublicKey) key = {0};
    SshBytes type;

    if (!ssh_read_string(&reader, &type))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(kinds) && !key.type; i++) {
        if (!ssh_bytes_are(type, kinds[i].type))
            continue;
        key.kind = kinds[i].kind;
        key.type = kinds[i].type;
        key.digest = kinds[i].digest;
        key.key = make_key(&reader, i);
    }
    if (!key.key || (is_token(key.kind) && (!ssh_read_string(&reader, &key.application) || key.application.size == 0)) ||
            reader.left > 0)
        return FALSE;
    *ret = key;
    key.key = NULL;
    return TRUE;
}

/* ---- signatures ---- */

static gboolean verify(const SshPublicKey *key, const char *digest, SshBytes message, SshBytes signature) {
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();

    return context && EVP_DigestVerifyInit_ex(context, NULL, digest, NULL, NULL, key->key, NULL) == 1 &&
           EVP_DigestVerify(context, signature.data, signature.size, message.data, message.size) == 1;
}

/* RFC 5656 section 3.1.2: two numbers; OpenSSL wants them in DER. */
static gboolean verify_ecdsa(const SshPublicKey *key, SshBytes message, SshBytes blob) {
    SshReader reader = {blob.data, blob.size};
    SshBytes r, s;
    guint8 *der = NULL;

    if (!ssh_read_positive(&reader, &r) || !ssh_read_positive(&reader, &s) || reader.left > 0 || r.size > 66 ||
            s.size > 66)
        return FALSE;
    g_autoptr(ECDSA_SIG) signature = ECDSA_SIG_new();
    BIGNUM *first = BN_bin2bn(r.data, (int) r.size, NULL), *second = BN_bin2bn(s.data, (int) s.size, NULL);
    if (!signature || !first || !second || ECDSA_SIG_set0(signature, first, second) != 1) {
        BN_free(first);
        BN_free(second);
        return FALSE;
    }
    int size = i2d_ECDSA_SIG(signature, &der);
    gboolean good = size > 0 && verify(key, key->digest, message, (SshBytes){der, (gsize) size});
    OPENSSL_free(der);
    return good;
}

static gboolean verify_rsa(const SshPublicKey *key, SshBytes type, SshBytes message, SshBytes blob) {
    const char *digest = ssh_bytes_are(type, "rsa-sha2-512")   ? "SHA512"
                         : ssh_bytes_are(type, "rsa-sha2-256") ? "SHA256"
                                                               : NULL;

    return digest && blob.size == (gsize) EVP_PKEY_get_size(key->key) && verify(key, digest, message, blob);
}

static gboolean verify_plain(const SshPublicKey *key, SshBytes message, SshBytes blob) {
    if (key->kind == SSH_KEY_ECDSA || key->kind == SSH_KEY_SK_ECDSA)
        return verify_ecdsa(key, message, blob);
    return blob.size == ED25519_SIGNATURE_SIZE && verify(key, NULL, message, blob);
}

/* PROTOCOL.u2f: a token signs digests, with what it knows of the person in between. */
static gboolean verify_token(const SshPublicKey *key, SshReader *rest, SshBytes message, SshBytes blob) {
    guint8 application[SHA256_SIZE], digest[SHA256_SIZE], flags = 0;
    guint32 counter = 0;
    g_autoptr(GByteArray) signed_bytes = g_byte_array_new();
    SshBytes tail = {rest->data, rest->left};

    if (!ssh_read_byte(rest, &flags) || !ssh_read_number(rest, &counter) || rest->left > 0 ||
            !(flags & FLAG_USER_PRESENT))
        return FALSE;
    sha256_buffer(key->application.data, key->application.size, application);
    sha256_buffer(message.data, message.size, digest);
    g_byte_array_append(signed_bytes, application, sizeof application);
    g_byte_array_append(signed_bytes, tail.data, (guint) tail.size);
    g_byte_array_append(signed_bytes, digest, sizeof digest);
    return verify_plain(key, (SshBytes){signed_bytes->data, signed_bytes->len}, blob);
}

gboolean ssh_public_key_verify(const SshPublicKey *key, SshBytes message, SshBytes signature) {
    SshReader reader = {signature.data, signature.size};
    SshBytes type, blob;

    if (!ssh_read_string(&reader, &type) || !ssh_read_string(&reader, &blob))
        return FALSE;
    if (key->kind == SSH_KEY_RSA)
        return reader.left == 0 && verify_rsa(key, type, message, blob);
    if (!ssh_bytes_are(type, key->type))
        return FALSE;
    if (is_token(key->kind))
        return verify_token(key, &reader, message, blob);
    return reader.left == 0 && verify_plain(key, message, blob);
}
