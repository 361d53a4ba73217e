/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private keys in PEM files, encrypted or not. */

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "crypto/key-session-private.h"
#include "crypto/openssl-error.h"

/* A private key that everybody on the machine can read is no secret. Group access is left to the
 * administrator, who may have made a group for signing. */
static gboolean check_key_file(int fd, const char *path, GError **error) {
    struct stat st;
    if (fstat(fd, &st) < 0)
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

static int open_key_file(const char *path, GError **error) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0)
        return fd;
    if (errno == ENOENT)
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING,
                "Private key %s does not exist; run 'particleos genkey' to make a key and a certificate",
                path);
    else
        set_errno_error(error, errno, "Cannot open private key %s", path);
    return -1;
}

typedef struct {
    KeySession *session;
    const char *path;
    gboolean wanted;
} Passphrase;

static int give_passphrase(char *buffer, int size, int writing, void *userdata) {
    Passphrase *passphrase = userdata;
    g_autofree char *prompt = g_strconcat("Passphrase of ", passphrase->path, NULL);
    passphrase->wanted = TRUE;
    const char *answer = key_session_answer(passphrase->session, prompt);
    if (!answer || strlen(answer) >= size)
        return -1;
    memcpy(buffer, answer, strlen(answer));
    return strlen(answer);
}

EVP_PKEY *key_file_load(KeySession *session, const char *path, GError **error) {
    AUTO_FD fd = open_key_file(path, error);
    if (fd < 0 || !check_key_file(fd, path, error))
        return NULL;

    AUTO_FILE file = fdopen(fd, "re");
    if (!file) {
        set_errno_error(error, errno, "Cannot read private key %s", path);
        return NULL;
    }
    (void) steal_fd(&fd);

    ERR_clear_error();
    key_session_begin(session);
    Passphrase passphrase = {session, path, FALSE};
    EVP_PKEY *pkey = PEM_read_PrivateKey(file, NULL, give_passphrase, &passphrase);
    if (pkey)
        return pkey;
    if (!passphrase.wanted || !key_session_take_error(session, path, error))
        crypto_set_openssl_error(
                error, CRYPTO_ERROR_MALFORMED, "%s does not hold a private key in PEM format", path);
    return NULL;
}
