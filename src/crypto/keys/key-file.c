/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private keys in files: PEM, DER and PKCS#12, encrypted or not. */

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "crypto/keys/key-session-private.h"
#include "crypto/sources/openssl-error.h"

/* More than a key with all the certificates that may come with it. */
#define LARGEST_FILE (1 << 20)

void key_file_clear(KeyFile *file) {
    OPENSSL_clear_free(file->data, LARGEST_FILE);
    if (file->fd >= 0)
        close(file->fd);
    *file = (KeyFile) KEY_FILE_INIT;
}

/* A private key that everybody on the machine can read is no secret. Group access is left to the
 * administrator, who may have made a group for signing. */
gboolean key_file_check(const KeyFile *file, const char *path, GError **error) {
    struct stat st;
    if (fstat(file->fd, &st) < 0)
        return set_errno_error(error, errno, "Cannot examine private key %s", path);
    if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "Private key %s is not a file", path);
        return FALSE;
    }
    if (S_ISREG(st.st_mode) && (st.st_mode & S_IRWXO) != 0) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_PERMISSION,
                "Private key %s is accessible to everybody (mode %04o); make it private with 'chmod 0600 "
                "%s'",
                path, (unsigned) st.st_mode & 07777, path);
        return FALSE;
    }
    return TRUE;
}

gboolean key_file_open(KeyFile *file, const char *path, GError **error) {
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file->fd >= 0)
        return TRUE;
    if (errno == ENOENT)
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING,
                "Private key %s does not exist; run 'particleos genkey' to make a key and a certificate",
                path);
    else
        set_errno_error(error, errno, "Cannot open private key %s", path);
    return FALSE;
}

/* Into memory of one size, which is never moved and so can be wiped. */
gboolean key_file_read(KeyFile *file, const char *path, GError **error) {
    ssize_t n;

    file->data = OPENSSL_malloc(LARGEST_FILE);
    while ((n = read(file->fd, file->data + file->size, LARGEST_FILE - file->size)) != 0) {
        if (n < 0 && errno != EINTR)
            return set_errno_error(error, errno, "Cannot read private key %s", path);
        file->size += MAX(n, 0);
    }
    if (file->size < LARGEST_FILE)
        return TRUE;
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "%s is too large for a private key", path);
    return FALSE;
}

typedef struct {
    KeySession *session;
    const char *path;
    gboolean wanted;
} Passphrase;

char *key_file_prompt(const char *path) {
    return g_strconcat("Passphrase of ", path, NULL);
}

static int give_passphrase(char *buffer, int size, int writing, void *userdata) {
    Passphrase *passphrase = userdata;
    g_autofree char *prompt = key_file_prompt(passphrase->path);
    passphrase->wanted = TRUE;
    char *answer = key_session_answer(passphrase->session, prompt);
    int length = answer && strlen(answer) < size ? (int) strlen(answer) : -1;
    if (length > 0)
        memcpy(buffer, answer, length);
    key_session_wipe(answer);
    return length;
}

gboolean key_file_is_cut_off(const KeyFile *file) {
    const unsigned char *cursor = file->data;
    long length;
    int tag, class;

    ERR_clear_error();
    gboolean cut = (ASN1_get_object(&cursor, &length, &tag, &class, file->size) & 0x80) != 0 &&
                   ERR_GET_REASON(ERR_peek_last_error()) == ASN1_R_TOO_LONG;
    ERR_clear_error();
    return cut;
}

/* Whether there is an EncryptedPrivateKeyInfo of PKCS#8, which begins like nothing else. */
static gboolean is_encrypted(const KeyFile *file) {
    const unsigned char *cursor = file->data;
    X509_SIG *sealed = d2i_X509_SIG(NULL, &cursor, file->size);

    X509_SIG_free(sealed);
    ERR_clear_error();
    return sealed != NULL;
}

/* PKCS#8, or what was in use for the kind of key before it. */
static EVP_PKEY *parse_der(const KeyFile *file, Passphrase *passphrase) {
    const unsigned char *cursor = file->data;

    if (!is_encrypted(file))
        return d2i_AutoPrivateKey(NULL, &cursor, file->size);
    g_autoptr(BIO) bio = BIO_new_mem_buf(file->data, file->size);
    return bio ? d2i_PKCS8PrivateKey_bio(bio, NULL, give_passphrase, passphrase) : NULL;
}

static EVP_PKEY *parse_pem(const KeyFile *file, Passphrase *passphrase) {
    g_autoptr(BIO) bio = BIO_new_mem_buf(file->data, file->size);
    return bio ? PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, passphrase) : NULL;
}

static void set_no_key(const KeyFile *file, const Passphrase *passphrase, GError **error) {
    if (passphrase->wanted && key_session_take_error(passphrase->session, passphrase->path, error))
        return;
    if (key_file_is_der(file) && key_file_is_cut_off(file))
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "%s is cut off: its end is missing",
                passphrase->path);
    else
        crypto_set_openssl_error(error, CRYPTO_ERROR_MALFORMED,
                "%s does not hold a private key in PEM, DER or PKCS#12 format", passphrase->path);
}

static EVP_PKEY *parse(KeySession *session, const KeyFile *file, const char *path, GError **error) {
    Passphrase passphrase = {session, path, FALSE};
    EVP_PKEY *pkey;

    ERR_clear_error();
    key_session_begin(session);
    if (pkcs12_is(file))
        return pkcs12_get_key(session, file, path, error);
    pkey = key_file_is_der(file) ? parse_der(file, &passphrase) : parse_pem(file, &passphrase);
    if (!pkey)
        set_no_key(file, &passphrase, error);
    return pkey;
}

EVP_PKEY *key_file_load(KeySession *session, const char *path, GError **error) {
    AUTO_KEY_FILE file = KEY_FILE_INIT;

    return key_file_open(&file, path, error) && key_file_check(&file, path, error) &&
                           key_file_read(&file, path, error)
                   ? parse(session, &file, path, error)
                   : NULL;
}
