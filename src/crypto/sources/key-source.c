/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/sources/key-source.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto/sources/error.h"
#include "crypto/sources/openssl-error.h"

struct KeySource {
    gatomicrefcount references;
    EVP_PKEY *pkey;
    char *description;
    gboolean foreign; /* another than OpenSSL itself signs with it */
    KeySignatureBegin begin; /* may be NULL */
    KeySignatureEnd end;
    gpointer watcher;
    char *properties; /* by which OpenSSL finds who does; NULL: by itself */
    KeySignFunc sign; /* NULL: the private key is here */
    gpointer user;
};

static KeySource *key_source_wrap(EVP_PKEY *pkey, const char *description) {
    KeySource *key = g_new0(KeySource, 1);
    g_atomic_ref_count_init(&key->references);
    key->pkey = pkey;
    key->description = g_strdup(description);
    return key;
}

KeySource *key_source_new_from_pkey(EVP_PKEY *pkey, const char *description) {
    EVP_PKEY_up_ref(pkey);
    return key_source_wrap(pkey, description);
}

KeySource *key_source_new_elsewhere(
        EVP_PKEY *public_key, const char *description, KeySignFunc sign, gpointer user) {
    KeySource *key = key_source_new_from_pkey(public_key, description);
    key->sign = sign;
    key->user = user;
    return key;
}

KeySource *key_source_ref(KeySource *key) {
    g_atomic_ref_count_inc(&key->references);
    return key;
}

void key_source_unref(KeySource *key) {
    if (!key || !g_atomic_ref_count_dec(&key->references))
        return;
    EVP_PKEY_free(key->pkey);
    g_free(key->description);
    g_free(key->properties);
    g_free(key);
}

KeySource *key_source_new_foreign(EVP_PKEY *pkey, const char *description, const char *provider) {
    KeySource *key = key_source_wrap(pkey, description);
    key->foreign = TRUE;
    /* Otherwise OpenSSL asks for the key, gets its public half, and cannot sign. */
    if (provider)
        key->properties = g_strconcat("?provider=", provider, NULL);
    return key;
}

void key_source_watch(KeySource *key, KeySignatureBegin begin, KeySignatureEnd end, gpointer data) {
    key->begin = begin;
    key->end = end;
    key->watcher = data;
}

const char *key_source_get_description(const KeySource *key) {
    return key->description;
}

EVP_PKEY *key_source_peek(const KeySource *key) {
    return key->pkey;
}

GBytes *public_key_make_pending(EVP_PKEY *pkey) {
    gsize size = public_key_get_signature_size(pkey);
    return g_bytes_new_take(g_malloc0(size), size);
}

/* The public half of a key that may be in a token, as OpenSSL's own: providers sign, and not all of them verify, or write
 * a public key in the form that OpenSSL does. */
static EVP_PKEY *public_half(EVP_PKEY *pkey) {
    unsigned char *der = NULL;
    int size = i2d_PUBKEY(pkey, &der);
    const unsigned char *cursor = der;
    EVP_PKEY *half = size > 0 ? d2i_PUBKEY(NULL, &cursor, size) : NULL;

    OPENSSL_free(der);
    return half;
}

GBytes *key_source_get_public_pem(const KeySource *key, GError **error) {
    g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
    g_autoptr(EVP_PKEY) half = public_half(key->pkey);
    char *text = NULL;
    if (!bio || !half || PEM_write_bio_PUBKEY(bio, half) != 1) {
        crypto_set_openssl_error(
                error, CRYPTO_ERROR_FAILED, "Cannot write the public key of %s", key->description);
        return NULL;
    }
    long size = BIO_get_mem_data(bio, &text);
    return g_bytes_new_take(g_strndup(text, size), size);
}

GBytes *key_source_get_public_der(const KeySource *key, GError **error) {
    unsigned char *der = NULL;
    int size = i2d_PUBKEY(key->pkey, &der);
    GBytes *bytes = crypto_take_der(der, size);
    if (!bytes)
        crypto_set_openssl_error(
                error, CRYPTO_ERROR_FAILED, "Cannot write the public key of %s", key->description);
    return bytes;
}

/* The name of the parameter exists since OpenSSL 3.2, which is also the first to know what it means. */
static gboolean can_fix_nonces(void) {
    return OpenSSL_version_num() >= 0x30200000L;
}

gboolean key_source_is_deterministic(const KeySource *key) {
    if (EVP_PKEY_is_a(key->pkey, "EC"))
        return !key->foreign && can_fix_nonces();
    return EVP_PKEY_is_a(key->pkey, "RSA") || EVP_PKEY_is_a(key->pkey, "ED25519") ||
           EVP_PKEY_is_a(key->pkey, "ED448");
}

/* ECDSA nonces are derived from key and message (RFC 6979) where OpenSSL can. */
static gboolean fix_nonces(EVP_PKEY_CTX *context, const KeySource *key) {
    unsigned nonce_type = 1;
    OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_uint("nonce-type", &nonce_type),
            OSSL_PARAM_construct_end(),
    };
    return !EVP_PKEY_is_a(key->pkey, "EC") || key->foreign || !can_fix_nonces() ||
           EVP_PKEY_CTX_set_params(context, parameters) == 1;
}

/* Ed25519 has no digest to choose. */
static const EVP_MD *digest_of(EVP_PKEY *pkey) {
    return EVP_PKEY_is_a(pkey, "ED25519") ? NULL : EVP_sha256();
}

/* Starts a SHA-256 signature. */
static gboolean sign_init(EVP_MD_CTX *context, const KeySource *key) {
    EVP_PKEY_CTX *pkey_context = NULL; /* belongs to CONTEXT */
    return EVP_DigestSignInit(context, &pkey_context, digest_of(key->pkey), NULL, key->pkey) == 1 &&
           fix_nonces(pkey_context, key);
}

gboolean key_source_sign_init(const KeySource *key, EVP_MD_CTX *context) {
    const char *digest = EVP_PKEY_is_a(key->pkey, "ED25519") ? NULL : "SHA256";

    /* An engine is found by its key, and only without properties. */
    return key->properties
                   ? EVP_DigestSignInit_ex(context, NULL, digest, NULL, key->properties, key->pkey, NULL) == 1
                   : EVP_DigestSignInit(context, NULL, digest ? EVP_sha256() : NULL, NULL, key->pkey) == 1;
}

/* A token gets the digest alone: it may have no room for the rest, and is slow. */
static GBytes *sign_in_token(const KeySource *key, const void *data, gsize size, GError **error) {
    guint8 digest[SHA256_SIZE];
    sha256_buffer(data, size, digest);
    return key_source_sign_digest(key, digest, error);
}

GBytes *key_source_sign(const KeySource *key, const void *data, gsize size, GError **error) {
    if (key->sign)
        return key->sign(key->user, data, size, error);
    if (key->foreign && !EVP_PKEY_is_a(key->pkey, "ED25519"))
        return sign_in_token(key, data, size, error);
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
    gsize signature_size = 0;
    if (context && sign_init(context, key) &&
            EVP_DigestSign(context, NULL, &signature_size, data, size) == 1) {
        g_autofree guint8 *signature = g_malloc(signature_size);
        if (EVP_DigestSign(context, signature, &signature_size, data, size) == 1)
            return g_bytes_new_take(g_steal_pointer(&signature), signature_size);
    }
    crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot sign with %s", key->description);
    return NULL;
}

/* Ed25519 has no digest to begin with: what is signed are the bytes of the digest. */
static GBytes *sign_ed25519(EVP_PKEY *pkey, const guint8 *digest) {
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
    guint8 signature[64];
    gsize size = sizeof signature;

    if (!context || EVP_DigestSignInit(context, NULL, NULL, NULL, pkey) != 1 ||
            EVP_DigestSign(context, signature, &size, digest, SHA256_SIZE) != 1)
        return NULL;
    return g_bytes_new(signature, size);
}

/* Sets up CONTEXT, after its sign_init or verify_init, for SHA-256 digests. */
static gboolean digest_init(EVP_PKEY_CTX *context, EVP_PKEY *pkey) {
    return (!EVP_PKEY_is_a(pkey, "RSA") ||
                   EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1) &&
           EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1;
}

static GBytes *sign_digest(const KeySource *key, const guint8 *digest) {
    g_autoptr(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, key->properties);
    gsize size = 0;

    if (!context || EVP_PKEY_sign_init(context) != 1 || !digest_init(context, key->pkey) ||
            !fix_nonces(context, key) || EVP_PKEY_sign(context, NULL, &size, digest, SHA256_SIZE) != 1)
        return NULL;
    g_autofree guint8 *signature = g_malloc(size);
    if (EVP_PKEY_sign(context, signature, &size, digest, SHA256_SIZE) != 1)
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&signature), size);
}

GBytes *key_source_sign_digest(
        const KeySource *key, const guint8 digest[static SHA256_SIZE], GError **error) {
    if (key->sign) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
                "%s signs elsewhere, where more than a digest is wanted", key->description);
        return NULL;
    }
    gpointer state = key->begin ? key->begin(key->description, key->watcher) : NULL;
    GBytes *signature = EVP_PKEY_is_a(key->pkey, "ED25519") ? sign_ed25519(key->pkey, digest)
                                                            : sign_digest(key, digest);
    gboolean told = key->end && key->end(state, key->description, key->watcher, signature ? NULL : error);
    if (!signature && !told)
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot sign with %s", key->description);
    return signature;
}

static gboolean verify_ed25519(EVP_PKEY *pkey, const guint8 *digest, const guint8 *signature, gsize size) {
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
    return context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
           EVP_DigestVerify(context, signature, size, digest, SHA256_SIZE) == 1;
}

static gboolean verify_digest(EVP_PKEY *pkey, const guint8 *digest, const guint8 *signature, gsize size) {
    g_autoptr(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new(pkey, NULL);
    return context && EVP_PKEY_verify_init(context) == 1 && digest_init(context, pkey) &&
           EVP_PKEY_verify(context, signature, size, digest, SHA256_SIZE) == 1;
}

gsize public_key_get_signature_size(EVP_PKEY *pkey) {
    if (EVP_PKEY_is_a(pkey, "RSA") || EVP_PKEY_is_a(pkey, "ED25519"))
        return EVP_PKEY_get_size(pkey);
    return 0;
}

gboolean public_key_verify_digest(EVP_PKEY *public_key, const guint8 digest[static SHA256_SIZE],
        GBytes *signature, GError **error) {
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(signature, &size);
    g_autoptr(EVP_PKEY) half = public_half(public_key);

    if (half && (EVP_PKEY_is_a(half, "ED25519") ? verify_ed25519(half, digest, data, size)
                                                : verify_digest(half, digest, data, size)))
        return TRUE;
    ERR_clear_error();
    g_set_error_literal(error, CRYPTO_ERROR, CRYPTO_ERROR_MISMATCH,
            "The signature is not by this key, or not over this digest");
    return FALSE;
}

static EVP_PKEY *public_key_read(GBytes *public_key, GError **error) {
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(public_key, &size);
    ERR_clear_error();
    if (size > 0 && size <= G_MAXINT) {
        const unsigned char *cursor = data;
        EVP_PKEY *pkey = d2i_PUBKEY(NULL, &cursor, (long) size);
        if (pkey)
            return pkey;
        ERR_clear_error();
        g_autoptr(BIO) bio = BIO_new_mem_buf(data, (int) size);
        pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
        if (pkey)
            return pkey;
    }
    crypto_set_openssl_error(error, CRYPTO_ERROR_MALFORMED, "Not a public key in PEM or DER");
    return NULL;
}

gboolean public_key_verify(
        GBytes *public_key, const void *data, gsize size, GBytes *signature, GError **error) {
    g_autoptr(EVP_PKEY) pkey = public_key_read(public_key, error);
    if (!pkey)
        return FALSE;
    gsize signature_size = 0;
    const guint8 *signature_data = g_bytes_get_data(signature, &signature_size);
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
    if (!context || EVP_DigestVerifyInit(context, NULL, digest_of(pkey), NULL, pkey) != 1)
        return crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot verify with this kind of key");
    if (EVP_DigestVerify(context, signature_data, signature_size, data, size) == 1)
        return TRUE;
    ERR_clear_error();
    g_set_error_literal(error, CRYPTO_ERROR, CRYPTO_ERROR_MISMATCH,
            "The signature is not by this key, or not over this content");
    return FALSE;
}

GBytes *public_key_to_der(GBytes *public_key, GError **error) {
    g_autoptr(EVP_PKEY) pkey = public_key_read(public_key, error);
    if (!pkey)
        return NULL;
    unsigned char *der = NULL;
    int size = i2d_PUBKEY(pkey, &der);
    GBytes *bytes = crypto_take_der(der, size);
    if (!bytes)
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot encode the public key");
    return bytes;
}
