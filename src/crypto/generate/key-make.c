/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/generate/key-make.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <string.h>

#include "crypto/keys/key-session-private.h"
#include "crypto/sources/openssl-error.h"
#include "crypto/sources/pkcs11-uri.h"

/* What pkcs11-provider calls the parameter that names token and object. */
#define PARAMETER_URI "pkcs11_uri"

static int bits_of(const GenkeyOptions *options) {
    return options->rsa_bits > 0 ? options->rsa_bits : GENKEY_DEFAULT_RSA_BITS;
}

static GBytes *key_to_pem(EVP_PKEY *pkey, gboolean foreign, GError **error) {
    g_autoptr(BIO) bio = BIO_new(BIO_s_secmem());
    /* The same but for keys that are not OpenSSL's own: these have no PKCS#8. */
    if (bio && (foreign ? PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL)
                        : PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL)) == 1) {
        char *text = NULL;
        long size = BIO_get_mem_data(bio, &text);
        return g_bytes_new(text, size);
    }
    crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot write the private key");
    return NULL;
}

/* An RSA key by the provider NAME; URI may be NULL. */
static EVP_PKEY *make_by_provider(const char *name, const char *uri, int bits, GError **error) {
    g_autofree char *query = g_strconcat("provider=", name, NULL);
    size_t size = (size_t) bits;
    OSSL_PARAM parameters[3] = {OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &size),
            uri ? OSSL_PARAM_construct_utf8_string(PARAMETER_URI, (char *) uri, 0) : OSSL_PARAM_construct_end(),
            OSSL_PARAM_construct_end()};
    EVP_PKEY *pkey = NULL;

    ERR_clear_error();
    g_autoptr(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", query);
    if (context && EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_CTX_set_params(context, parameters) == 1 &&
            EVP_PKEY_generate(context, &pkey) == 1)
        return pkey;
    crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot make a private key with the provider %s", name);
    return NULL;
}

static KeySource *make_foreign(const GenkeyOptions *options, GBytes **ret_pem, GError **error) {
    if (!key_provider_available(options->provider, error))
        return NULL;
    EVP_PKEY *pkey = make_by_provider(options->provider, NULL, bits_of(options), error);
    g_autoptr(KeySource) key = pkey ? key_source_new_foreign(pkey, "the new key", options->provider) : NULL;
    return key && (*ret_pem = key_to_pem(pkey, TRUE, error)) ? g_steal_pointer(&key) : NULL;
}

KeySource *key_make(const GenkeyOptions *options, GBytes **ret_pem, GError **error) {
    if (options->provider)
        return make_foreign(options, ret_pem, error);
    g_autoptr(EVP_PKEY) pkey = options->purpose == GENKEY_FOR_IMAGES ? EVP_RSA_gen((unsigned) bits_of(options))
                                                                     : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (!pkey) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot make a private key");
        return NULL;
    }
    *ret_pem = key_to_pem(pkey, FALSE, error);
    return *ret_pem ? key_source_new_from_pkey(pkey, "the new key") : NULL;
}

/* ---- in tokens ---- */

gboolean key_token_has(KeySession *session, const char *name, const char *uri) {
    /* The public half, which is seen without a PIN. */
    g_autofree char *locator = pkcs11_uri_with(uri, "type", "public");
    g_autofree char *query = g_strconcat("?provider=", name, NULL);
    gboolean found = FALSE;

    if (!key_provider_available(name, NULL))
        return FALSE;
    key_session_take_over(session);
    key_session_begin(session);
    OSSL_STORE_CTX *store = OSSL_STORE_open_ex(locator, NULL, query, NULL, NULL, NULL, NULL, NULL);
    while (store && !found && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (!info && OSSL_STORE_error(store))
            break;
        found = info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PUBKEY;
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    ERR_clear_error();
    return found;
}

static void wipe(char *text) {
    if (text)
        OPENSSL_cleanse(text, strlen(text));
    g_free(text);
}

/* URI with the PIN in it: OpenSSL asks nobody while a key is made. */
static char *complete_uri(KeySession *session, const char *uri, GError **error) {
    g_autofree char *value = pkcs11_uri_get(uri, "pin-value"), *source = pkcs11_uri_get(uri, "pin-source");
    g_autofree char *token = pkcs11_uri_get(uri, "token");
    if (value || source)
        return g_strdup(uri);
    g_autofree char *prompt = g_strdup_printf("PIN of the token %s", token ? token : "");
    key_session_begin(session);
    const char *pin = key_session_answer(session, g_strchomp(prompt));
    if (pin)
        return pkcs11_uri_with(uri, "pin-value", pin);
    if (!key_session_take_error(session, uri, error))
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING, "Nobody knows the PIN of %s", uri);
    return NULL;
}

KeySource *key_make_in_token(KeySession *session, const char *name, const char *uri, int bits, GError **error) {
    if (!key_provider_available(name, error))
        return NULL;
    char *complete = complete_uri(session, uri, error);
    EVP_PKEY *pkey = complete ? make_by_provider(name, complete, bits, error) : NULL;
    wipe(complete);
    return pkey ? key_source_new_foreign(pkey, uri, name) : NULL;
}
