/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys and certificates that OpenSSL reaches through an engine or a provider: tokens, TPMs, signing services. */

/* Debian 12 has PKCS#11 as an engine only. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/store.h>

#include "crypto/keys/key-session-private.h"
#include "crypto/sources/openssl-error.h"
#include "crypto/sources/pkcs11-uri.h"

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

static void set_no_certificate(KeySession *session, const char *locator, GError **error) {
    if (!key_session_take_error(session, locator, error))
        crypto_set_openssl_error(error, CRYPTO_ERROR_MISSING,
                "Cannot open the certificate %s (is the token there, and does it have this certificate?)", locator);
}

#ifdef OPENSSL_NO_ENGINE

EVP_PKEY *key_engine_load(KeySession *session, const char *name, const char *locator, GError **error) {
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
            "This OpenSSL has no engines: name a provider instead of the engine '%s'", name);
    return NULL;
}

X509 *certificate_engine_load(KeySession *session, const char *name, const char *locator, GError **error) {
    (void) key_engine_load(session, name, locator, error);
    return NULL;
}

#else

/* An engine that is ready. OpenSSL keeps it, and with it the login to a token, until the process ends: the next key of
 * the same token asks for nothing. */
static ENGINE *engine_open(KeySession *session, const char *name, GError **error) {
    ENGINE *engine = ENGINE_by_id(name);

    if (!engine) {
        set_missing(name, TRUE, error);
        return NULL;
    }
    /* What asks for the login can be told each time, but what asks for a signature only before the tokens are counted; it
     * would ask on the terminal by itself. A certificate can be private, too, and is asked for before its key. */
    ENGINE_ctrl_cmd(engine, "SET_USER_INTERFACE", 0, key_session_ui(session), NULL, 1);
    ENGINE_ctrl_cmd(engine, "SET_CALLBACK_DATA", 0, session, NULL, 1);
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

/* What tells the token of a PKCS#11 URI from others, by the attributes that people use; NULL: nothing does. */
static char *token_of(const char *locator, char **ret_label) {
    g_autofree char *serial = NULL;

    *ret_label = NULL;
    if (!pkcs11_uri_check(locator))
        return NULL;
    *ret_label = pkcs11_uri_get(locator, "token");
    serial = pkcs11_uri_get(locator, "serial");
    return *ret_label || serial ? g_strdup_printf("%s/%s", *ret_label ? *ret_label : "", serial ? serial : "") : NULL;
}

static gboolean has_pin(const char *locator) {
    g_autofree char *source = pkcs11_uri_get(locator, "pin-source");
    char *value = pkcs11_uri_get(locator, "pin-value");
    gboolean has = source || value;
    key_session_wipe(value);
    return has;
}

/* The engine keeps the PIN of the first token and would try it with the next one, which may lock that. So the PIN of
 * each further token is asked for here, with the engine's own words, and handed over. */
static gboolean hand_over_pin(KeySession *session, ENGINE *engine, const char *locator) {
    g_autofree char *label = NULL, *token = token_of(locator, &label);
    gboolean first;

    if (!token || key_session_meet_token(session, token, &first) || first || has_pin(locator))
        return TRUE;
    g_autofree char *prompt = g_strconcat("Enter PKCS#11 token PIN for ", label ? label : token, NULL);
    char *pin = key_session_answer(session, prompt);
    if (pin)
        ENGINE_ctrl_cmd_string(engine, "PIN", pin, 1);
    gboolean handed = pin != NULL;
    key_session_wipe(pin);
    return handed;
}

EVP_PKEY *key_engine_load(KeySession *session, const char *name, const char *locator, GError **error) {
    ERR_clear_error();
    ENGINE *engine = engine_open(session, name, error);
    if (!engine)
        return NULL;
    key_session_begin(session);
    EVP_PKEY *pkey = hand_over_pin(session, engine, locator)
                             ? ENGINE_load_private_key(engine, locator, key_session_ui(session), session)
                             : NULL;
    if (!pkey)
        set_no_key(session, locator, error);
    return pkey;
}

/* Each engine has commands of its own; this is that of the one for PKCS#11. */
X509 *certificate_engine_load(KeySession *session, const char *name, const char *locator, GError **error) {
    struct {
        const char *locator;
        X509 *certificate;
    } order = {locator, NULL};

    ERR_clear_error();
    ENGINE *engine = engine_open(session, name, error);
    if (!engine)
        return NULL;
    if (ENGINE_ctrl(engine, ENGINE_CTRL_GET_CMD_FROM_NAME, 0, (void *) "LOAD_CERT_CTRL", NULL) <= 0) {
        ERR_clear_error();
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
                "The OpenSSL engine '%s' has no certificates: keep the certificate of %s in a file", name, locator);
        return NULL;
    }
    key_session_begin(session);
    if (!hand_over_pin(session, engine, locator) ||
            ENGINE_ctrl_cmd(engine, "LOAD_CERT_CTRL", 0, &order, NULL, 1) != 1 || !order.certificate)
        set_no_certificate(session, locator, error);
    return order.certificate;
}

#endif

/* What is read from a store: the first key, or the first certificate, of WANTED if there is one. */
typedef struct {
    int type; /* OSSL_STORE_INFO_PKEY or OSSL_STORE_INFO_CERT */
    EVP_PKEY *wanted;
    EVP_PKEY *key;
    X509 *certificate;
} Search;

static gboolean take(Search *search, const OSSL_STORE_INFO *info) {
    if (!info || OSSL_STORE_INFO_get_type(info) != search->type)
        return FALSE;
    if (search->type == OSSL_STORE_INFO_PKEY)
        return (search->key = OSSL_STORE_INFO_get1_PKEY(info)) != NULL;
    g_autoptr(X509) certificate = OSSL_STORE_INFO_get1_CERT(info);
    EVP_PKEY *certified = certificate ? X509_get0_pubkey(certificate) : NULL;
    if (!certificate || (search->wanted && (!certified || EVP_PKEY_eq(certified, search->wanted) != 1)))
        return FALSE;
    search->certificate = g_steal_pointer(&certificate);
    return TRUE;
}

static void search_store(KeySession *session, const char *name, const char *locator, Search *search) {
    g_autofree char *query = g_strconcat("?provider=", name, NULL);
    key_session_take_over(session);
    OSSL_STORE_CTX *store = OSSL_STORE_open_ex(
            locator, NULL, query, key_session_ui(session), session, NULL, NULL, NULL);
    gboolean found = FALSE;

    if (!store)
        return;
    OSSL_STORE_expect(store, search->type);
    while (!found && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (!info && OSSL_STORE_error(store))
            break;
        found = take(search, info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
}

/* It stays loaded, as keys use it; the default one serves everything else. Left to itself, OpenSSL may also take digests
 * from a token. That is slow, and where the library of the token uses OpenSSL as well (SoftHSM), it is called while it
 * computes a digest to check the PIN, and waits for itself. */
gboolean key_provider_available(const char *name, GError **error) {
    ERR_clear_error();
    if (OSSL_PROVIDER_try_load(NULL, name, 1) && EVP_set_default_properties(NULL, "?provider=default"))
        return TRUE;
    set_missing(name, FALSE, error);
    return FALSE;
}

EVP_PKEY *key_provider_load(KeySession *session, const char *name, const char *locator, GError **error) {
    if (!key_provider_available(name, error))
        return NULL;
    Search search = {.type = OSSL_STORE_INFO_PKEY};
    key_session_begin(session);
    search_store(session, name, locator, &search);
    if (!search.key)
        set_no_key(session, locator, error);
    return search.key;
}

X509 *certificate_provider_load(
        KeySession *session, const char *name, const char *locator, EVP_PKEY *wanted, GError **error) {
    if (!key_provider_available(name, error))
        return NULL;
    Search search = {.type = OSSL_STORE_INFO_CERT, .wanted = wanted};
    key_session_begin(session);
    search_store(session, name, locator, &search);
    if (!search.certificate)
        set_no_certificate(session, locator, error);
    return search.certificate;
}
