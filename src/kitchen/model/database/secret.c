/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/database/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/sha256.h"

#define KEY_SIZE 32
#define NONCE_SIZE 12
#define TAG_SIZE 16

struct SecretBox {
    guint8 key[KEY_SIZE];
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

static void random_bytes(guint8 *data, gsize size) {
    /* A service that cannot make secrets must not go on. */
    if (RAND_bytes(data, (int) size) != 1)
        g_error("The system gives no random numbers");
}

char *secret_make(const char *prefix) {
    guint8 data[33]; /* a multiple of three: no padding */
    g_autofree char *text = NULL;

    random_bytes(data, sizeof(data));
    text = g_base64_encode(data, sizeof(data));
    for (char *at = text; *at; at++)
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    return g_strconcat(prefix, text, NULL);
}

char *secret_hash(const char *secret) {
    guint8 digest[SHA256_SIZE];

    sha256_buffer(secret, strlen(secret), digest);
    return hex_encode(digest, sizeof(digest));
}

gboolean secret_equal(const char *a, const char *b) {
    guint8 digest_a[SHA256_SIZE], digest_b[SHA256_SIZE];

    if (!a || !b)
        return FALSE;
    /* Of digests: neither the length nor a common beginning shows. */
    sha256_buffer(a, strlen(a), digest_a);
    sha256_buffer(b, strlen(b), digest_b);
    return CRYPTO_memcmp(digest_a, digest_b, SHA256_SIZE) == 0;
}

void secret_wipe(char *text) {
    if (text)
        OPENSSL_cleanse(text, strlen(text));
    g_free(text);
}

static gboolean make_key(const char *path, GError **error) {
    guint8 key[KEY_SIZE];
    AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return set_errno_error(error, errno, "Cannot make the key of credentials %s", path);
    random_bytes(key, sizeof(key));
    if (!write_all(fd, key, sizeof(key)) || fsync(fd) < 0)
        return set_errno_error(error, errno, "Cannot write the key of credentials %s", path);
    OPENSSL_cleanse(key, sizeof(key));
    return TRUE;
}

SecretBox *secret_box_open(const char *path, GError **error) {
    g_autoptr(SecretBox) box = g_new0(SecretBox, 1);
    AUTO_FD fd = -1;
    struct stat status;

    if (!g_file_test(path, G_FILE_TEST_EXISTS) && !make_key(path, error))
        return NULL;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0) {
        set_errno_error(error, errno, "Cannot read the key of credentials %s", path);
        return NULL;
    }
    if (status.st_size != KEY_SIZE) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "The key of credentials %s has %" G_GINT64_FORMAT " bytes instead of %d", path, (gint64) status.st_size,
                KEY_SIZE);
        return NULL;
    }
    if (!pread_all(fd, box->key, KEY_SIZE, 0, error))
        return NULL;
    return g_steal_pointer(&box);
}

void secret_box_free(SecretBox *box) {
    if (!box)
        return;
    OPENSSL_cleanse(box, sizeof(*box));
    g_free(box);
}

GBytes *secret_box_seal(const SecretBox *box, const char *place, const char *secret, GError **error) {
    g_autoptr(EVP_CIPHER_CTX) context = EVP_CIPHER_CTX_new();
    gsize length = strlen(secret);
    gsize size = NONCE_SIZE + TAG_SIZE + length;
    g_autofree guint8 *sealed = g_malloc(size);
    int n = 0;

    random_bytes(sealed, NONCE_SIZE);
    if (length > G_MAXINT / 2 || !context ||
            EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, box->key, sealed) != 1 ||
            EVP_EncryptUpdate(context, NULL, &n, (const guint8 *) place, (int) strlen(place)) != 1 ||
            EVP_EncryptUpdate(context, sealed + NONCE_SIZE + TAG_SIZE, &n, (const guint8 *) secret, (int) length) !=
                    1 ||
            EVP_EncryptFinal_ex(context, sealed + size, &n) != 1 ||
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, sealed + NONCE_SIZE) != 1) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "Cannot encrypt a credential");
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&sealed), size);
}

char *secret_box_open_sealed(const SecretBox *box, const char *place, GBytes *bytes, GError **error) {
    g_autoptr(EVP_CIPHER_CTX) context = EVP_CIPHER_CTX_new();
    gsize size = 0;
    const guint8 *sealed = g_bytes_get_data(bytes, &size);
    g_autofree guint8 *tag = NULL;
    char *text = NULL;
    int n = 0, last = 0;

    if (size < NONCE_SIZE + TAG_SIZE || size > G_MAXINT / 2) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "A credential is damaged");
        return NULL;
    }
    tag = g_memdup2(sealed + NONCE_SIZE, TAG_SIZE);
    size -= NONCE_SIZE + TAG_SIZE;
    text = g_malloc0(size + 1);
    if (!context || EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, box->key, sealed) != 1 ||
            EVP_DecryptUpdate(context, NULL, &n, (const guint8 *) place, (int) strlen(place)) != 1 ||
            EVP_DecryptUpdate(context, (guint8 *) text, &n, sealed + NONCE_SIZE + TAG_SIZE, (int) size) != 1 ||
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) != 1 ||
            EVP_DecryptFinal_ex(context, (guint8 *) text + n, &last) != 1) {
        OPENSSL_cleanse(text, size);
        g_free(text);
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "A credential does not open with this key: the key file was replaced, or the database was "
                "changed by hand");
        return NULL;
    }
    return text;
}
