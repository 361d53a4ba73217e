/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PKCS#12: a private key and its certificate in one file, under one passphrase. */

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <string.h>

#include "crypto/keys/key-session-private.h"
#include "crypto/sources/openssl-error.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PKCS12, PKCS12_free)

static void free_certificates(STACK_OF(X509) *certificates) {
    sk_X509_pop_free(certificates, X509_free);
}

static PKCS12 *read_container(const KeyFile *file) {
    const unsigned char *cursor = file->data;
    return key_file_is_der(file) ? d2i_PKCS12(NULL, &cursor, file->size) : NULL;
}

/* By the version at its beginning, which no other key has. Files that are cut off are known as well. */
gboolean pkcs12_is(const KeyFile *file) {
    static const guint8 version[] = {0x02, 0x01, 0x03};
    const unsigned char *cursor = file->data;
    long length;
    int tag, class;

    if (!key_file_is_der(file))
        return FALSE;
    (void) ASN1_get_object(&cursor, &length, &tag, &class, file->size);
    ERR_clear_error();
    gsize offset = cursor - file->data;
    return tag == V_ASN1_SEQUENCE && offset + sizeof version <= file->size &&
           memcmp(cursor, version, sizeof version) == 0;
}

/* The passphrase, which is right; owned by the caller, who wipes it. NULL with ERROR set. Some programs mean nothing by no passphrase, some an empty one;
 * a file without a MAC cannot tell, so somebody is asked. */
static char *find_passphrase(KeySession *session, PKCS12 *container, const char *path, GError **error) {
    g_autofree char *prompt = key_file_prompt(path);
    char *answer;

    if (PKCS12_mac_present(container) &&
            (PKCS12_verify_mac(container, NULL, 0) == 1 || PKCS12_verify_mac(container, "", 0) == 1))
        return g_strdup("");
    ERR_clear_error();
    answer = key_session_answer(session, prompt);
    if (answer && (!PKCS12_mac_present(container) || PKCS12_verify_mac(container, answer, -1) == 1))
        return answer;
    key_session_wipe(answer);
    if (!key_session_take_error(session, path, error))
        crypto_set_openssl_error(error, CRYPTO_ERROR_PERMISSION, "Cannot open %s", path);
    return NULL;
}

static gboolean set_unreadable(const KeyFile *file, const char *path, GError **error) {
    if (!key_file_is_cut_off(file))
        return crypto_set_openssl_error(
                error, CRYPTO_ERROR_MALFORMED, "%s is a PKCS#12 file that cannot be read", path);
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "%s is a PKCS#12 file that is cut off: its end is missing",
            path);
    return FALSE;
}

/* RET_CERTIFICATE is that of the key, or the only one; NULL when there is none. */
static gboolean unpack(KeySession *session, const KeyFile *file, const char *path, EVP_PKEY **ret_key,
        X509 **ret_certificate, GError **error) {
    g_autoptr(PKCS12) container = read_container(file);
    STACK_OF(X509) *others = NULL;

    if (!container)
        return set_unreadable(file, path, error);
    char *passphrase = find_passphrase(session, container, path, error);
    if (!passphrase)
        return FALSE;
    gboolean parsed = PKCS12_parse(container, passphrase, ret_key, ret_certificate, &others) == 1;
    key_session_wipe(passphrase);
    if (!parsed)
        return crypto_set_openssl_error(error, CRYPTO_ERROR_UNSUPPORTED,
                "Cannot read what is in %s (old files use ciphers that OpenSSL does not have any more: 'openssl pkcs12 "
                "-legacy' reads them, and another 'openssl pkcs12 -export' writes them anew)",
                path);
    if (!*ret_certificate && sk_X509_num(others) == 1)
        *ret_certificate = sk_X509_pop(others);
    free_certificates(others);
    return TRUE;
}

EVP_PKEY *pkcs12_get_key(KeySession *session, const KeyFile *file, const char *path, GError **error) {
    EVP_PKEY *key = NULL;
    g_autoptr(X509) certificate = NULL;

    if (!unpack(session, file, path, &key, &certificate, error))
        return NULL;
    if (!key)
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING, "%s is a PKCS#12 file without a private key", path);
    return key;
}

X509 *pkcs12_get_certificate(KeySession *session, const KeyFile *file, const char *path, GError **error) {
    g_autoptr(EVP_PKEY) key = NULL;
    X509 *certificate = NULL;

    if (!unpack(session, file, path, &key, &certificate, error))
        return NULL;
    if (!certificate)
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING,
                "%s is a PKCS#12 file without the certificate of its key", path);
    return certificate;
}
