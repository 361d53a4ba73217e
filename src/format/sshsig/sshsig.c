/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/sshsig/sshsig.h"

#include <string.h>

#include "base/sha256.h"
#include "format/sshsig/ssh-public-key.h"

#define BEGIN "-----BEGIN SSH SIGNATURE-----\n"
#define END "-----END SSH SIGNATURE-----"
#define MAGIC "SSHSIG"
#define VERSION 1

G_DEFINE_QUARK(sshsig-error-quark, sshsig_error)

/* What an armored signature has in it; BLOB holds the bytes of the others. */
typedef struct {
    guint8 *blob;
    SshBytes key, purpose, reserved, hash, signature;
} Sshsig;

static void sshsig_clear(Sshsig *sshsig) {
    g_clear_pointer(&sshsig->blob, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sshsig, sshsig_clear)

static gboolean malformed(GError **error, const char *what) {
    g_set_error(error, SSHSIG_ERROR, SSHSIG_ERROR_MALFORMED, "%s", what);
    return FALSE;
}

/* Bytes of TEXT, which is base64 and nothing else; NULL otherwise. */
static guint8 *decode(const char *text, gsize *ret_size) {
    g_autofree guint8 *data = g_base64_decode(text, ret_size);
    g_autofree char *again = g_base64_encode(data, *ret_size);

    return *ret_size > 0 && strcmp(again, text) == 0 ? g_steal_pointer(&data) : NULL;
}

/* What stands between the lines of the armor, without its line ends. Owned by the caller. */
static char *take_off_armor(const char *text, gsize size) {
    g_autofree char *copy = size <= SSHSIG_SIZE_MAX ? g_strndup(text, size) : NULL;
    const char *end = copy ? strstr(copy, "\n" END) : NULL;
    GString *base64 = NULL;

    if (!copy || strlen(copy) != size || !g_str_has_prefix(copy, BEGIN) || !end || end < copy + strlen(BEGIN) ||
            strspn(end + 1 + strlen(END), "\n") != strlen(end + 1 + strlen(END)))
        return NULL;
    base64 = g_string_new(NULL);
    for (const char *at = copy + strlen(BEGIN); at < end; at++)
        if (*at != '\n')
            g_string_append_c(base64, *at);
    return g_string_free(base64, FALSE);
}

static gboolean read_blob(Sshsig *sshsig, gsize size) {
    SshReader reader = {sshsig->blob, size};
    SshBytes magic;
    guint32 version = 0;

    return ssh_read_bytes(&reader, strlen(MAGIC), &magic) && ssh_bytes_are(magic, MAGIC) &&
           ssh_read_number(&reader, &version) && version == VERSION && ssh_read_string(&reader, &sshsig->key) &&
           ssh_read_string(&reader, &sshsig->purpose) && ssh_read_string(&reader, &sshsig->reserved) &&
           ssh_read_string(&reader, &sshsig->hash) && ssh_read_string(&reader, &sshsig->signature) && reader.left == 0;
}

static gboolean parse(const char *text, gsize size, Sshsig *ret, GError **error) {
    g_autofree char *base64 = take_off_armor(text, size);
    gsize blob_size = 0;

    if (base64)
        ret->blob = decode(base64, &blob_size);
    return (ret->blob && read_blob(ret, blob_size)) || malformed(error, "It is no signature by a key of SSH");
}

GBytes *sshsig_key_parse(const char *line, GError **error) {
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    g_auto(SshPublicKey) key = {0};
    gsize size = 0;
    g_autofree guint8 *data =
            g_strv_length(words) == 2 && strlen(words[1]) <= SSHSIG_SIZE_MAX ? decode(words[1], &size) : NULL;

    if (data && ssh_public_key_read((SshBytes){data, size}, &key) && strcmp(key.type, words[0]) == 0)
        return g_bytes_new_take(g_steal_pointer(&data), size);
    malformed(error, "It is no public key of SSH: Ed25519, ECDSA, RSA of 2048 bits at least, or one of these in a FIDO2 token");
    return NULL;
}

char *sshsig_key_fingerprint(GBytes *key) {
    guint8 digest[SHA256_SIZE];
    gsize size = 0;
    const void *data = g_bytes_get_data(key, &size);
    g_autofree char *base64 = NULL;

    sha256_buffer(data, size, digest);
    base64 = g_base64_encode(digest, sizeof digest);
    base64[strcspn(base64, "=")] = '\0';
    return g_strconcat("SHA256:", base64, NULL);
}

GBytes *sshsig_peek_key(const char *signature, gsize size, GError **error) {
    g_auto(Sshsig) sshsig = {0};

    return parse(signature, size, &sshsig, error) ? g_bytes_new(sshsig.key.data, sshsig.key.size) : NULL;
}

static void add_string(GByteArray *array, const void *data, gsize size) {
    guint32 length = GUINT32_TO_BE((guint32) size);

    g_byte_array_append(array, (const guint8 *) &length, sizeof length);
    g_byte_array_append(array, data, (guint) size);
}

/* What is signed: the digest of the message, and what it is for. NULL: no hash that counts. */
static GByteArray *signed_bytes(const Sshsig *sshsig, const void *message, gsize size) {
    const char *name = ssh_bytes_are(sshsig->hash, "sha512")   ? "SHA512"
                       : ssh_bytes_are(sshsig->hash, "sha256") ? "SHA256"
                                                               : NULL;
    guint8 digest[EVP_MAX_MD_SIZE];
    gsize digest_size = 0;
    GByteArray *array = NULL;

    if (!name || EVP_Q_digest(NULL, name, NULL, message, size, digest, &digest_size) != 1)
        return NULL;
    array = g_byte_array_new();
    g_byte_array_append(array, (const guint8 *) MAGIC, strlen(MAGIC));
    add_string(array, sshsig->purpose.data, sshsig->purpose.size);
    add_string(array, sshsig->reserved.data, sshsig->reserved.size);
    add_string(array, sshsig->hash.data, sshsig->hash.size);
    add_string(array, digest, digest_size);
    return array;
}

gboolean sshsig_verify(const char *signature, gsize size, GBytes *key, const char *purpose, const void *message,
        gsize message_size, GError **error) {
    g_auto(Sshsig) sshsig = {0};
    g_auto(SshPublicKey) public_key = {0};
    g_autoptr(GByteArray) bytes = NULL;
    gsize key_size = 0;
    const guint8 *key_data = g_bytes_get_data(key, &key_size);

    if (!parse(signature, size, &sshsig, error))
        return FALSE;
    if (sshsig.key.size != key_size || memcmp(sshsig.key.data, key_data, key_size) != 0) {
        g_set_error(error, SSHSIG_ERROR, SSHSIG_ERROR_KEY, "It is a signature by another key");
        return FALSE;
    }
    if (!ssh_public_key_read((SshBytes){key_data, key_size}, &public_key))
        return malformed(error, "It is by a key of a kind that is not taken");
    if (ssh_bytes_are(sshsig.purpose, purpose))
        bytes = signed_bytes(&sshsig, message, message_size);
    if (bytes && ssh_public_key_verify(&public_key, (SshBytes){bytes->data, bytes->len}, sshsig.signature))
        return TRUE;
    g_set_error(error, SSHSIG_ERROR, SSHSIG_ERROR_BAD, "It is no good signature of that for %s", purpose);
    return FALSE;
}
