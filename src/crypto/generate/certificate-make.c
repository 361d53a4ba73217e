/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/generate/certificate-make.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "crypto/sources/openssl-error.h"

#define SECONDS_PER_DAY (24 * 60 * 60)
#define MANIFESTS_BEGIN 1577836800 /* 2020 */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509_REQ, X509_REQ_free)

/* 127 random bits: positive, and never the same for two certificates of one name. */
static gboolean set_random_serial(X509 *x509) {
    guint8 bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return FALSE;
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    gboolean ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
    BN_free(number);
    return ok;
}

static gboolean set_name(X509_NAME *name, const char *common_name, GError **error) {
    return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *) common_name, -1, -1,
                   0) == 1 ||
           crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED,
                   "Cannot make a certificate for the common name '%s' (1 to 64 characters of UTF-8)", common_name);
}

/* What a token or TPM signs must go through its own provider; KEY knows which. Ed25519 has no digest. */
static EVP_MD_CTX *signing_context(const KeySource *key) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && key_source_sign_init(key, context))
        return context;
    EVP_MD_CTX_free(context);
    return NULL;
}

static gboolean add_extension(X509 *x509, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
    g_autoptr(X509_EXTENSION) extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    return extension && X509_add_ext(x509, extension, -1) == 1;
}

/* OVMF 2022.11 takes only a certificate with CA:TRUE as platform key. The kernel's platform keyring takes
 * any certificate of the firmware; the secondary keyring wants keyCertSign of those that vouch for others.
 */
static gboolean add_extensions(X509 *x509, GenkeyPurpose purpose) {
    gboolean images = purpose == GENKEY_FOR_IMAGES;
    return add_extension(x509, NID_basic_constraints, images ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
           add_extension(x509, NID_key_usage,
                   images ? "critical,digitalSignature,keyCertSign" : "critical,digitalSignature") &&
           add_extension(x509, NID_subject_key_identifier, "hash") &&
           add_extension(x509, NID_authority_key_identifier, "keyid:always");
}

static gboolean set_beginning(X509 *x509, GenkeyPurpose purpose) {
    ASN1_TIME *time = X509_getm_notBefore(x509);
    return (purpose == GENKEY_FOR_IMAGES ? X509_gmtime_adj(time, 0) : ASN1_TIME_set(time, MANIFESTS_BEGIN)) != NULL;
}

/* Everything but name and signature. */
static X509 *begin_certificate(EVP_PKEY *pkey, const GenkeyOptions *options, GError **error) {
    g_autoptr(X509) x509 = X509_new();
    long seconds = (long) options->valid_days * SECONDS_PER_DAY;
    if (x509 && X509_set_version(x509, X509_VERSION_3) == 1 && set_random_serial(x509) &&
            set_beginning(x509, options->purpose) && X509_gmtime_adj(X509_getm_notAfter(x509), seconds) &&
            X509_set_pubkey(x509, pkey) == 1)
        return g_steal_pointer(&x509);
    crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot make a certificate");
    return NULL;
}

static GBytes *to_pem(X509 *x509, X509_REQ *request, GError **error) {
    g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (bio && (x509 ? PEM_write_bio_X509(bio, x509) : PEM_write_bio_X509_REQ(bio, request)) == 1) {
        long size = BIO_get_mem_data(bio, &text);
        return g_bytes_new(text, size);
    }
    crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot write the certificate");
    return NULL;
}

GBytes *certificate_make(const KeySource *key, const GenkeyOptions *options, GError **error) {
    g_autoptr(X509) x509 = begin_certificate(key_source_peek(key), options, error);
    X509_NAME *name = x509 ? X509_get_subject_name(x509) : NULL;
    if (!x509 || !set_name(name, options->common_name, error))
        return NULL;
    g_autoptr(EVP_MD_CTX) context = NULL;
    if (X509_set_issuer_name(x509, name) != 1 || !add_extensions(x509, options->purpose) ||
            !(context = signing_context(key)) || X509_sign_ctx(x509, context) <= 0) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot sign the new certificate");
        return NULL;
    }
    return to_pem(x509, NULL, error);
}

/* ---- requests ---- */

static gboolean add_wish(STACK_OF(X509_EXTENSION) * wishes, X509V3_CTX *context, int nid, const char *value) {
    g_autoptr(X509_EXTENSION) wish = X509V3_EXT_conf_nid(NULL, context, nid, value);
    if (!wish || sk_X509_EXTENSION_push(wishes, wish) <= 0)
        return FALSE;
    wish = NULL; /* belongs to WISHES */
    return TRUE;
}

static void extensions_free(STACK_OF(X509_EXTENSION) * extensions) {
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

/* An authority gives nobody CA:TRUE; the platform key of firmware that wants it has to be another one. */
static gboolean add_wishes(X509_REQ *request, GenkeyPurpose purpose) {
    STACK_OF(X509_EXTENSION) *wishes = sk_X509_EXTENSION_new_null();
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, NULL, NULL, request, NULL, 0);
    gboolean good = wishes && add_wish(wishes, &context, NID_key_usage, "critical,digitalSignature") &&
                    (purpose != GENKEY_FOR_IMAGES || add_wish(wishes, &context, NID_ext_key_usage, "codeSigning")) &&
                    add_wish(wishes, &context, NID_subject_key_identifier, "hash") &&
                    X509_REQ_add_extensions(request, wishes) == 1;
    extensions_free(wishes);
    return good;
}

GBytes *certificate_request_make(const KeySource *key, const GenkeyOptions *options, GError **error) {
    g_autoptr(X509_REQ) request = X509_REQ_new();
    if (!request || X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
            X509_REQ_set_pubkey(request, key_source_peek(key)) != 1) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot make a request for a certificate");
        return NULL;
    }
    if (!set_name(X509_REQ_get_subject_name(request), options->common_name, error))
        return NULL;
    g_autoptr(EVP_MD_CTX) context = NULL;
    if (!add_wishes(request, options->purpose) || !(context = signing_context(key)) ||
            X509_REQ_sign_ctx(request, context) <= 0) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot sign the request for a certificate");
        return NULL;
    }
    return to_pem(NULL, request, error);
}
