/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys that OpenSSL reaches through an engine or a provider: tokens, TPMs, signing services. */

/* Debian 12 has PKCS#11 as an engine only. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/store.h>

#include "crypto/key-session-private.h"
#include "crypto/openssl-error.h"

/* What people install for a name, as far as it is known. */
static const char *package_of(const char *name, gboolean engine) {
    if (g_str_equal(name, "pkcs11"))
        return engine ? "libengine-pkcs11-openssl" : "pkcs11-provider";
    return g_str_equal(name, "tpm2") ? "tpm2-openssl" : NULL;
}

static void set_missing(const char *name, gboolean engine, GError **error) {
    const char *package = package_of(name, engine);

    crypto_set_openssl_error(error, CRYPTO_ERROR_MISSING, "OpenSSL has no %s '%s'%s%s%s",
            engine ? "engine" : "provider", name, package ? " (install the package " : "", package ? package : "",
            package ? ")" : "");
}

static void set_no_key(KeySession *session, const char *locator, GError **error) {
    if (!key_session_take_error(session, locator, error))
        crypto_set_openssl_error(error, CRYPTO_ERROR_MISSING,
                "Cannot open the private key %s (is the token there, and does it have this key?)", locator);
}

#ifdef OPENSSL_NO_ENGINE

EVP_PKEY *key_engine_load(KeySession *session, const char *name, const char *locator, GError **error) {
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
            "This OpenSSL has no engines: name a provider instead of the engine '%s'", name);
    return NULL;
}

#else

/* An engine that is ready. OpenSSL keeps it, and with it the login to a token, until the process ends: the next key of
 * the same token asks for nothing. */
static ENGINE *engine_open(const char *name, GError **error) {
    ENGINE *engine = ENGINE_by_id(name);

    if (!engine) {
        set_missing(name, TRUE, error);
        return NULL;
    }
    if (!ENGINE_init(engine)) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot start the OpenSSL engine '%s'", name);
        ENGINE_free(engine);
        return NULL;
    }
    ENGINE_ctrl_cmd(engine, "QUIET", 0, NULL, NULL, 1); /* some print their errors; ours are told below */
    ENGINE_add(engine); /* fails where it is in the list */
    ERR_clear_error();
    ENGINE_free(engine);
    return engine;
}

EVP_PKEY *key_engine_load(KeySession *session, const char *name, const char *locator, GError **error) {
    ERR_clear_error();
    ENGINE *engine = engine_open(name, error);
    if (!engine)
        return NULL;
    key_session_begin(session);
    EVP_PKEY *pkey = ENGINE_load_private_key(engine, locator, key_session_ui(session), session);
    if (!pkey)
        set_no_key(session, locator, error);
    return pkey;
}

#endif

/* The first private key that the store at LOCATOR has. */
static EVP_PKEY *load_from_store(KeySession *session, const char *name, const char *locator) {
    g_autofree char *query = g_strconcat("?provider=", name, NULL);
    OSSL_STORE_CTX *store = OSSL_STORE_open_ex(
            locator, NULL, query, key_session_ui(session), session, NULL, NULL, NULL);
    EVP_PKEY *pkey = NULL;

    if (!store)
        return NULL;
    OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY);
    while (!pkey && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (!info && OSSL_STORE_error(store))
            break;
        if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
            pkey = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    return pkey;
}

/* It stays loaded, as keys use it; the default one serves everything else. */
gboolean key_provider_available(const char *name, GError **error) {
    ERR_clear_error();
    if (OSSL_PROVIDER_try_load(NULL, name, 1))
        return TRUE;
    set_missing(name, FALSE, error);
    return FALSE;
}

EVP_PKEY *key_provider_load(KeySession *session, const char *name, const char *locator, GError **error) {
    if (!key_provider_available(name, error))
        return NULL;
    key_session_begin(session);
    EVP_PKEY *pkey = load_from_store(session, name, locator);
    if (!pkey)
        set_no_key(session, locator, error);
    return pkey;
}
