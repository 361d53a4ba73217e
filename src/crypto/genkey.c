/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/genkey.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "crypto/error.h"
#include "crypto/openssl-error.h"

#define SECONDS_PER_DAY (24 * 60 * 60)
#define MANIFESTS_BEGIN 1577836800 /* 2020 */

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

static gboolean set_name(X509 *x509, const char *common_name) {
    X509_NAME *name = X509_get_subject_name(x509);
    return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                   (const unsigned char *) common_name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(x509, name) == 1;
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

static X509 *make_certificate(EVP_PKEY *pkey, const GenkeyOptions *options, GError **error) {
    g_autoptr(X509) x509 = X509_new();
    long seconds = (long) options->valid_days * SECONDS_PER_DAY;
    if (!x509 || X509_set_version(x509, X509_VERSION_3) != 1 || !set_random_serial(x509) ||
            !set_beginning(x509, options->purpose) ||
            !X509_gmtime_adj(X509_getm_notAfter(x509), seconds) || X509_set_pubkey(x509, pkey) != 1) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot make a certificate");
        return NULL;
    }
    if (!set_name(x509, options->common_name)) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED,
                "Cannot make a certificate for the common name '%s' (1 to 64 characters of UTF-8)",
                options->common_name);
        return NULL;
    }
    const EVP_MD *digest = options->purpose == GENKEY_FOR_IMAGES ? EVP_sha256() : NULL;
    if (!add_extensions(x509, options->purpose) || X509_sign(x509, pkey, digest) <= 0) {
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot sign the new certificate");
        return NULL;
    }
    return g_steal_pointer(&x509);
}

static GBytes *take_text(BIO *bio) {
    char *text = NULL;
    long size = BIO_get_mem_data(bio, &text);
    return g_bytes_new(text, size);
}

static GBytes *key_to_pem(EVP_PKEY *pkey, GError **error) {
    g_autoptr(BIO) bio = BIO_new(BIO_s_secmem());
    if (bio && PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) == 1)
        return take_text(bio);
    crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot write the private key");
    return NULL;
}

static GBytes *certificate_pem(X509 *x509, GError **error) {
    g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
    if (bio && PEM_write_bio_X509(bio, x509) == 1)
        return take_text(bio);
    crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot write the certificate");
    return NULL;
}

static gboolean set_file_error(GError **error, const char *what, const char *name, int code) {
    return set_errno_error(error, code, "Cannot %s %s", what, name);
}

static gboolean set_exists_error(GError **error, const char *name) {
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_EXISTS,
            "%s exists already, and keys are never overwritten; to make new ones, move the key and the "
            "certificate away first",
            name);
    return FALSE;
}

static gboolean write_content(int fd, GBytes *content) {
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(content, &size);
    return write_all(fd, data, size);
}

/* A file beside its final name, which is removed unless it reaches it. */
typedef struct {
    int directory_fd;
    char *name; /* NULL: nothing to remove */
} PendingFile;

static void pending_file_clear(PendingFile *pending) {
    if (pending->name)
        unlinkat(pending->directory_fd, pending->name, 0);
    g_clear_pointer(&pending->name, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PendingFile, pending_file_clear)

static gboolean pending_file_write(PendingFile *pending, int directory_fd, const char *final_name,
        mode_t mode, GBytes *content, GError **error) {
    g_autofree char *name = g_strdup_printf(".%s.%d.new", final_name, (int) getpid());
    AUTO_FD fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return set_file_error(error, "create", name, errno);
    pending->directory_fd = directory_fd;
    pending->name = g_steal_pointer(&name);
    if (!write_content(fd, content) || fchmod(fd, mode) < 0 || fsync(fd) < 0)
        return set_file_error(error, "write", final_name, errno);
    return TRUE;
}

/* Gives the file its final name unless something has that name already. */
static gboolean pending_file_publish(PendingFile *pending, const char *final_name, GError **error) {
    if (renameat2(pending->directory_fd, pending->name, pending->directory_fd, final_name,
                RENAME_NOREPLACE) < 0)
        return errno == EEXIST ? set_exists_error(error, final_name)
                               : set_file_error(error, "create", final_name, errno);
    g_free(pending->name);
    pending->name = g_strdup(final_name);
    return TRUE;
}

static void pending_file_keep(PendingFile *pending) {
    g_clear_pointer(&pending->name, g_free);
}

static gboolean write_pair(int directory_fd, const char *key_name, GBytes *key, const char *certificate_name,
        GBytes *certificate, GError **error) {
    g_auto(PendingFile) key_file = {-1, NULL};
    g_auto(PendingFile) certificate_file = {-1, NULL};
    if (!pending_file_write(&key_file, directory_fd, key_name, 0600, key, error) ||
            !pending_file_write(
                    &certificate_file, directory_fd, certificate_name, 0644, certificate, error) ||
            !pending_file_publish(&key_file, key_name, error) ||
            !pending_file_publish(&certificate_file, certificate_name, error))
        return FALSE;
    pending_file_keep(&key_file);
    pending_file_keep(&certificate_file);
    return TRUE;
}

static gboolean check_absent(int directory_fd, const char *name, GError **error) {
    struct stat st;
    if (fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return set_exists_error(error, name);
    return errno == ENOENT || set_file_error(error, "examine", name, errno);
}

static EVP_PKEY *make_key(const GenkeyOptions *options, GError **error) {
    int bits = options->rsa_bits > 0 ? options->rsa_bits : GENKEY_DEFAULT_RSA_BITS;
    EVP_PKEY *pkey = options->purpose == GENKEY_FOR_IMAGES ? EVP_RSA_gen((unsigned) bits)
                                                           : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (!pkey)
        crypto_set_openssl_error(error, CRYPTO_ERROR_FAILED, "Cannot make a private key");
    return pkey;
}

gboolean genkey_create_at(int directory_fd, const char *key_name, const char *certificate_name,
        const GenkeyOptions *options, GError **error) {
    if (options->valid_days < 1 || options->valid_days > GENKEY_VALID_DAYS_MAX) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_FAILED,
                "A certificate cannot be valid for %d days; give 1 to %d", options->valid_days,
                GENKEY_VALID_DAYS_MAX);
        return FALSE;
    }
    /* Making a key takes a while, so find out first what would be in the way at the end. */
    if (!check_absent(directory_fd, key_name, error) || !check_absent(directory_fd, certificate_name, error))
        return FALSE;

    g_autoptr(EVP_PKEY) pkey = make_key(options, error);
    g_autoptr(X509) x509 = pkey ? make_certificate(pkey, options, error) : NULL;
    if (!x509)
        return FALSE;
    g_autoptr(GBytes) key = key_to_pem(pkey, error);
    g_autoptr(GBytes) certificate = key ? certificate_pem(x509, error) : NULL;
    return certificate && write_pair(directory_fd, key_name, key, certificate_name, certificate, error);
}
