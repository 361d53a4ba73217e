/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/volumes/luks.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "sandbox/sandbox.h"

#define KEY_SIZE 64 /* two AES-256 keys, as XTS wants */
#define SECTOR 4096u
#define BUFFER (256 * SECTOR)

#define IMAGE_IN_SANDBOX "/run/particleos/image"
#define PASSPHRASE_IN_SANDBOX "/run/particleos/passphrase"

static gboolean fail_errno(const char *what, GError **error) {
    return set_errno_error(error, errno, "%s", what);
}

/* ---- the header --------------------------------------------------------------------------------------- */

static void add_kdf(GStrvBuilder *words, const char *kdf) {
    if (g_strcmp0(kdf, "minimal") == 0)
        g_strv_builder_add_many(
                words, "--pbkdf=pbkdf2", "--hash=sha512", "--pbkdf-force-iterations=1000", NULL);
    else
        g_strv_builder_add(words, g_strcmp0(kdf, "pbkdf2") == 0 ? "--pbkdf=pbkdf2" : "--pbkdf=argon2id");
}

/* The key gets to the program in memory that no file system shows. */
static gboolean write_header(const LuksOptions *options, const char *target, int key_fd, GError **error) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(options->tools_tree);
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_autofree char *passphrase = g_canonicalize_filename(options->passphrase, NULL);
    g_autofree char *uuid = uuid_to_text(&options->uuid);
    g_autofree char *key = g_strdup_printf("--volume-key-file=/proc/self/fd/%d", key_fd);
    g_autofree char *offset = g_strdup_printf("--offset=%u", (guint) (LUKS_HEADER_SIZE / 512));

    sandbox_bind(sandbox, target, IMAGE_IN_SANDBOX, 0);
    sandbox_bind(sandbox, passphrase, PASSPHRASE_IN_SANDBOX, SANDBOX_READ_ONLY);
    sandbox_pass_fd(sandbox, key_fd);
    g_strv_builder_add_many(words, "cryptsetup", "luksFormat", "--batch-mode", "--type=luks2",
            "--key-file=" PASSPHRASE_IN_SANDBOX, "--key-size=512", "--cipher=aes-xts-plain64",
            "--sector-size=4096", "--uuid", uuid, "--label", options->label, key, offset, NULL);
    add_kdf(words, options->kdf);
    g_strv_builder_add(words, IMAGE_IN_SANDBOX);
    g_auto(GStrv) argv = g_strv_builder_end(words);
    return sandbox_run(sandbox, (const char *const *) argv, error);
}

/* ---- the content -------------------------------------------------------------------------------------- */

/* The tweak is the number of the first 512 byte sector, counted from the beginning of the segment. */
static gboolean encrypt_sector(EVP_CIPHER_CTX *cipher, guint64 position, guint8 *sector) {
    guint8 tweak[16] = {0};
    guint64 number = GUINT64_TO_LE(position / 512);
    int length = 0;

    memcpy(tweak, &number, sizeof number);
    return EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, tweak) == 1 &&
           EVP_EncryptUpdate(cipher, sector, &length, sector, SECTOR) == 1 && length == SECTOR;
}

static gboolean encrypt_content(
        EVP_CIPHER_CTX *cipher, int input, guint64 size, int output, GError **error) {
    g_autofree guint8 *buffer = g_malloc(BUFFER);

    for (guint64 position = 0; position < size;) {
        gsize part = MIN(size - position, BUFFER);
        gsize padded = (part + SECTOR - 1) / SECTOR * SECTOR;

        if (!pread_all(input, buffer, part, position, error))
            return FALSE;
        memset(buffer + part, 0, padded - part);
        for (gsize i = 0; i < padded; i += SECTOR)
            if (!encrypt_sector(cipher, position + i, buffer + i)) {
                g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "AES-XTS failed");
                return FALSE;
            }
        if (!pwrite_all(output, buffer, padded, LUKS_HEADER_SIZE + position, error))
            return FALSE;
        position += part;
    }
    return TRUE;
}

static gboolean encrypt_with_key(const guint8 *key, int input, guint64 size, int output, GError **error) {
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    gboolean ok = cipher && EVP_EncryptInit_ex(cipher, EVP_aes_256_xts(), NULL, key, NULL) == 1;

    if (!ok)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "AES-XTS is not available");
    else
        ok = encrypt_content(cipher, input, size, output, error);
    EVP_CIPHER_CTX_free(cipher);
    return ok;
}

static gboolean encrypt_files(const LuksOptions *options, const guint8 *key, const char *plain,
        const char *target, guint64 *ret_size, GError **error) {
    AUTO_FD input = open(plain, O_RDONLY | O_CLOEXEC);
    AUTO_FD output = open(target, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    AUTO_FD key_fd = memfd_create("volume-key", MFD_CLOEXEC);
    struct stat st;

    if (input < 0 || fstat(input, &st) < 0)
        return fail_errno(plain, error);
    *ret_size = LUKS_HEADER_SIZE + ((guint64) st.st_size + SECTOR - 1) / SECTOR * SECTOR;
    if (output < 0 || ftruncate(output, *ret_size) < 0)
        return fail_errno(target, error);
    if (key_fd < 0)
        return fail_errno("memfd_create", error);
    return pwrite_all(key_fd, key, KEY_SIZE, 0, error) && write_header(options, target, key_fd, error) &&
           encrypt_with_key(key, input, st.st_size, output, error);
}

gboolean luks_encrypt(const LuksOptions *options, const char *plain, const char *target, guint64 *ret_size,
        GError **error) {
    guint8 key[KEY_SIZE];
    gboolean ok;

    if (RAND_priv_bytes(key, sizeof key) != 1) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "there are no random numbers for a key");
        return FALSE;
    }
    ok = encrypt_files(options, key, plain, target, ret_size, error);
    OPENSSL_cleanse(key, sizeof key);
    if (!ok)
        g_prefix_error(error, "encrypting: ");
    return ok;
}
