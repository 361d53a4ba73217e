/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/certificates/certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "base/directory.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "crypto/sources/openssl-error.h"

struct Certificate {
    gatomicrefcount references;
    X509 *x509;
    GBytes *der;
    char *subject;
    char *issuer;
    char *fingerprint;
    char *description;
    guint8 sha256[SHA256_SIZE];
};

static char *name_to_string(X509_NAME *name) {
    g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
        return g_strdup("(unreadable name)");
    long size = BIO_get_mem_data(bio, &text);
    g_autofree char *raw = g_strndup(text, size);
    return g_utf8_make_valid(raw, -1);
}

/* Takes the reference of X509. */
static Certificate *certificate_wrap(X509 *x509) {
    unsigned char *der = NULL;
    int size = i2d_X509(x509, &der);

    Certificate *certificate = g_new0(Certificate, 1);
    g_atomic_ref_count_init(&certificate->references);
    certificate->x509 = x509;
    certificate->der = crypto_take_der(der, size);
    if (!certificate->der)
        certificate->der = g_bytes_new(NULL, 0);
    sha256_buffer(g_bytes_get_data(certificate->der, NULL), g_bytes_get_size(certificate->der),
            certificate->sha256);
    certificate->fingerprint = hex_encode(certificate->sha256, SHA256_SIZE);
    certificate->subject = name_to_string(X509_get_subject_name(x509));
    certificate->issuer = name_to_string(X509_get_issuer_name(x509));
    certificate->description =
            g_strdup_printf("%s (%.16s…)", certificate->subject, certificate->fingerprint);
    return certificate;
}

Certificate *certificate_new_from_x509(X509 *x509) {
    X509_up_ref(x509);
    return certificate_wrap(x509);
}

Certificate *certificate_ref(Certificate *certificate) {
    g_atomic_ref_count_inc(&certificate->references);
    return certificate;
}

void certificate_unref(Certificate *certificate) {
    if (!certificate || !g_atomic_ref_count_dec(&certificate->references))
        return;
    X509_free(certificate->x509);
    g_bytes_unref(certificate->der);
    g_free(certificate->subject);
    g_free(certificate->issuer);
    g_free(certificate->fingerprint);
    g_free(certificate->description);
    g_free(certificate);
}

static X509 *x509_read(const void *data, gsize size) {
    ERR_clear_error();
    if (size == 0 || size > G_MAXINT)
        return NULL;
    /* DER begins with the tag of a SEQUENCE, PEM with text. */
    if (*(const guint8 *) data == 0x30) {
        const unsigned char *cursor = data;
        X509 *x509 = d2i_X509(NULL, &cursor, (long) size);
        if (x509 && cursor == (const unsigned char *) data + size)
            return x509;
        X509_free(x509);
        return NULL;
    }
    g_autoptr(BIO) bio = BIO_new_mem_buf(data, (int) size);
    return bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
}

Certificate *certificate_new(const void *data, gsize size, GError **error) {
    X509 *x509 = x509_read(data, size);
    if (!x509) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_MALFORMED, "Not an X.509 certificate in PEM or DER");
        return NULL;
    }
    return certificate_wrap(x509);
}

Certificate *certificate_load(const char *path, GError **error) {
    g_autofree char *data = NULL;
    gsize size = 0;
    g_autoptr(GError) local = NULL;
    if (!g_file_get_contents(path, &data, &size, &local)) {
        if (g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING,
                    "Certificate %s does not exist; run 'particleos genkey' to make a key and a certificate",
                    path);
        else
            g_propagate_prefixed_error(error, g_steal_pointer(&local), "Cannot read certificate: ");
        return NULL;
    }
    Certificate *certificate = certificate_new(data, size, error);
    if (!certificate)
        g_prefix_error(error, "Cannot read certificate %s: ", path);
    return certificate;
}

static gboolean is_certificate_name(const char *name) {
    return g_str_has_suffix(name, ".crt") || g_str_has_suffix(name, ".pem") ||
           g_str_has_suffix(name, ".cer") || g_str_has_suffix(name, ".der");
}

GPtrArray *certificate_load_directory(const char *path, GError **error) {
    g_autoptr(GPtrArray) certificates = g_ptr_array_new_with_free_func((GDestroyNotify) certificate_unref);
    g_autoptr(GError) local = NULL;
    g_autoptr(GPtrArray) names = list_directory(path, &local);
    if (!names) {
        if (g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            return g_steal_pointer(&certificates);
        g_propagate_prefixed_error(error, g_steal_pointer(&local), "Cannot read certificates: ");
        return NULL;
    }

    for (guint i = 0; i < names->len; i++) {
        if (!is_certificate_name(names->pdata[i]))
            continue;
        g_autofree char *file = g_build_filename(path, names->pdata[i], NULL);
        Certificate *certificate = certificate_load(file, error);
        if (!certificate)
            return NULL;
        g_ptr_array_add(certificates, certificate);
    }
    return g_steal_pointer(&certificates);
}

const char *certificate_get_subject(const Certificate *certificate) {
    return certificate->subject;
}

const char *certificate_get_issuer(const Certificate *certificate) {
    return certificate->issuer;
}

const char *certificate_get_fingerprint(const Certificate *certificate) {
    return certificate->fingerprint;
}

const char *certificate_get_description(const Certificate *certificate) {
    return certificate->description;
}

const guint8 *certificate_get_sha256(const Certificate *certificate) {
    return certificate->sha256;
}

GBytes *certificate_get_der(const Certificate *certificate) {
    return certificate->der;
}

char *certificate_to_pem(const Certificate *certificate) {
    g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (!bio || PEM_write_bio_X509(bio, certificate->x509) != 1)
        g_error("Cannot write a certificate to memory");
    long size = BIO_get_mem_data(bio, &text);
    return g_strndup(text, size);
}

GBytes *certificate_get_public_key_pem(const Certificate *certificate, GError **error) {
    g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
    EVP_PKEY *key = X509_get0_pubkey(certificate->x509);
    char *text = NULL;
    if (!bio || !key || PEM_write_bio_PUBKEY(bio, key) != 1) {
        crypto_set_openssl_error(
                error, CRYPTO_ERROR_FAILED, "Cannot write the public key of %s", certificate->subject);
        return NULL;
    }
    long size = BIO_get_mem_data(bio, &text);
    return g_bytes_new_take(g_strndup(text, size), size);
}

X509 *certificate_peek(const Certificate *certificate) {
    return certificate->x509;
}

gboolean certificate_equal(const Certificate *a, const Certificate *b) {
    return memcmp(a->sha256, b->sha256, SHA256_SIZE) == 0;
}

gboolean certificate_is_self_signed(const Certificate *certificate) {
    gboolean self_signed = X509_self_signed(certificate->x509, 1) == 1;
    ERR_clear_error();
    return self_signed;
}

gboolean certificate_is_ca(const Certificate *certificate) {
    return (X509_get_extension_flags(certificate->x509) & EXFLAG_CA) != 0;
}

const char *certificate_get_key_type(const Certificate *certificate, guint *ret_bits) {
    const EVP_PKEY *key = X509_get0_pubkey(certificate->x509);
    const char *name = key ? EVP_PKEY_get0_type_name(key) : NULL;

    ERR_clear_error();
    if (ret_bits)
        *ret_bits = key ? MAX(EVP_PKEY_get_bits(key), 0) : 0;
    return name ? name : "";
}

char *certificate_get_common_name(const Certificate *certificate) {
    X509_NAME *subject = X509_get_subject_name(certificate->x509);
    int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    X509_NAME_ENTRY *entry = index >= 0 ? X509_NAME_get_entry(subject, index) : NULL;
    unsigned char *text = NULL;
    int size = entry ? ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry)) : -1;

    ERR_clear_error();
    if (size <= 0)
        return NULL;
    char *name = g_utf8_make_valid((const char *) text, size);
    OPENSSL_free(text);
    return name;
}

static gboolean time_to_seconds(const ASN1_TIME *time, gint64 *ret_seconds) {
    struct tm parts;

    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return FALSE;
    *ret_seconds = timegm(&parts);
    return TRUE;
}

gboolean certificate_get_validity(
        const Certificate *certificate, gint64 *ret_from, gint64 *ret_until, GError **error) {
    if (time_to_seconds(X509_get0_notBefore(certificate->x509), ret_from) &&
            time_to_seconds(X509_get0_notAfter(certificate->x509), ret_until))
        return TRUE;
    return crypto_set_openssl_error(
            error, CRYPTO_ERROR_MALFORMED, "Cannot read the times of %s", certificate->subject);
}

gboolean certificate_check_key(const Certificate *certificate, const KeySource *key, GError **error) {
    EVP_PKEY *certified = X509_get0_pubkey(certificate->x509);
    if (certified && EVP_PKEY_eq(certified, key_source_peek(key)) == 1)
        return TRUE;
    ERR_clear_error();
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISMATCH,
            "The certificate of %s does not belong to the private key %s; use the pair that "
            "'particleos genkey' made together",
            certificate->subject, key_source_get_description(key));
    return FALSE;
}
