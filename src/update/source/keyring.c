/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/source/keyring.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/hex.h"
#include "update/source/openpgp-reader.h"
#include "update/transfer/error.h"

#define LARGEST (16u * 1024 * 1024)
#define FLAG_SIGNS 0x02

enum {
    SIGNATURE_DOCUMENT = 0x00,
    SIGNATURE_OF_NAME = 0x10, /* to 0x13 */
    SIGNATURE_OF_SUBKEY = 0x18,
    SIGNATURE_BY_SUBKEY = 0x19,
    SIGNATURE_OF_KEY = 0x1f,
    SIGNATURE_REVOKES_KEY = 0x20,
    SIGNATURE_REVOKES_SUBKEY = 0x28,
};

typedef struct {
    EVP_PKEY *key;
    guint8 algorithm;
    gint64 created, expires; /* EXPIRES 0: never */
    gboolean may_sign, revoked;
    char fingerprint[41];
    guint8 id[8];
    Span body;
} Key;

struct Keyring {
    GPtrArray *keys; /* Key, those that can sign */
    GBytes *bytes;
};

static void key_free(gpointer data) {
    Key *key = data;

    if (key)
        EVP_PKEY_free(key->key);
    g_free(key);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Key, key_free)

void keyring_free(Keyring *keyring) {
    if (!keyring)
        return;
    g_ptr_array_unref(keyring->keys);
    g_bytes_unref(keyring->bytes);
    g_free(keyring);
}

guint keyring_get_size(const Keyring *keyring) {
    return keyring->keys->len;
}

/* How a key goes into digests. HEAD has to live as long. */
static void key_content(const Key *key, guint8 head[3], Span ret[2]) {
    head[0] = 0x99;
    head[1] = (guint8) (key->body.size >> 8);
    head[2] = (guint8) key->body.size;
    ret[0] = (Span){head, 3};
    ret[1] = key->body;
}

static Key *read_key(Span body) {
    g_autoptr(Key) key = g_new0(Key, 1);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    guint8 head[3], digest[20];
    gsize size = sizeof digest;
    Span content[2];

    key->body = body;
    key->key = body.size <= G_MAXUINT16 ? openpgp_read_key(body, &key->algorithm, &key->created) : NULL;
    if (!key->key)
        return NULL;
    key_content(key, head, content);
    g_checksum_update(sum, content[0].data, (gssize) content[0].size);
    g_checksum_update(sum, content[1].data, (gssize) content[1].size);
    g_checksum_get_digest(sum, digest, &size);
    g_autofree char *text = hex_encode(digest, size);
    g_autofree char *upper = g_ascii_strup(text, -1);
    memcpy(key->fingerprint, upper, sizeof key->fingerprint);
    memcpy(key->id, digest + 12, sizeof key->id);
    return g_steal_pointer(&key);
}

/* Whether SIGNATURE by SIGNER is of the pair PRIMARY, SUBKEY. */
static gboolean check_pair(
        const OpenpgpReadSignature *signature, const Key *signer, const Key *primary, const Key *subkey) {
    guint8 heads[2][3];
    Span content[4];

    key_content(primary, heads[0], content);
    key_content(subkey, heads[1], content + 2);
    return openpgp_read_check(signature, signer->key, signer->algorithm, content, G_N_ELEMENTS(content));
}

/* A subkey may sign when the primary key says so, and it says that it belongs to that. */
static void take_binding(const OpenpgpReadSignature *signature, const Key *primary, Key *subkey) {
    OpenpgpReadSignature back;

    if (!signature->has_flags || !(signature->flags & FLAG_SIGNS) || !signature->embedded.data ||
            !openpgp_read_signature(signature->embedded, &back) || back.type != SIGNATURE_BY_SUBKEY ||
            !check_pair(signature, primary, primary, subkey) || !check_pair(&back, subkey, primary, subkey))
        return;
    subkey->may_sign = TRUE;
    subkey->expires = signature->key_expires ? subkey->created + signature->key_expires : 0;
}

/* What a signature in the key ring says of the last key before it. Revocations count without being checked. */
static void take_signature(Span body, Key *primary, Key *subkey) {
    OpenpgpReadSignature signature;
    gboolean good = openpgp_read_signature(body, &signature);
    guint8 type = body.size > 1 ? body.data[1] : 0;

    if (type == SIGNATURE_REVOKES_KEY && primary)
        primary->revoked = TRUE;
    if (type == SIGNATURE_REVOKES_SUBKEY && subkey)
        subkey->revoked = TRUE;
    if (!good || !primary)
        return;
    if (type == SIGNATURE_OF_SUBKEY && subkey)
        take_binding(&signature, primary, subkey);
    gboolean own = signature.has_issuer && memcmp(signature.issuer, primary->id, sizeof primary->id) == 0;
    if (own && ((type & ~3) == SIGNATURE_OF_NAME || type == SIGNATURE_OF_KEY)) {
        if (signature.has_flags)
            primary->may_sign = (signature.flags & FLAG_SIGNS) != 0;
        if (signature.key_expires)
            primary->expires = primary->created + signature.key_expires;
    }
}

static void read_packets(GPtrArray *keys, Span rest) {
    OpenpgpReadPacket packet;
    Key *primary = NULL, *subkey = NULL;

    while (openpgp_read_packet(&rest, &packet)) {
        gboolean is_primary = packet.tag == OPENPGP_READ_PRIMARY_KEY;
        if (is_primary || packet.tag == OPENPGP_READ_SUBKEY) {
            Key *key = is_primary || primary ? read_key(packet.body) : NULL;
            if (key)
                g_ptr_array_add(keys, key);
            if (key && is_primary)
                key->may_sign = TRUE;
            if (is_primary)
                primary = key;
            subkey = is_primary ? NULL : key;
        } else if (packet.tag == OPENPGP_READ_SIGNATURE)
            take_signature(packet.body, primary, subkey);
    }
}

Keyring *keyring_parse(const void *data, gsize size, GError **error) {
    g_autoptr(GBytes) given = g_bytes_new(data, size);
    g_autoptr(GBytes) bytes = size <= LARGEST ? openpgp_read_armor(given) : NULL;

    if (!bytes) {
        update_fail(error, UPDATE_ERROR_CONFIGURATION, "no OpenPGP keys can be read from it");
        return NULL;
    }
    g_autoptr(Keyring) keyring = g_new0(Keyring, 1);
    Span rest;
    rest.data = g_bytes_get_data(bytes, &rest.size);
    keyring->keys = g_ptr_array_new_with_free_func(key_free);
    keyring->bytes = g_steal_pointer(&bytes);
    read_packets(keyring->keys, rest);
    for (guint i = keyring->keys->len; i > 0; i--) {
        const Key *key = keyring->keys->pdata[i - 1];
        if (!key->may_sign || key->revoked)
            g_ptr_array_remove_index(keyring->keys, i - 1);
    }
    if (keyring->keys->len == 0) {
        update_fail(error, UPDATE_ERROR_CONFIGURATION,
                "it has no OpenPGP key of version 4 that can sign (RSA from 2048 bits on, Ed25519, ECDSA on P-256 or "
                "P-384)");
        return NULL;
    }
    return g_steal_pointer(&keyring);
}

Keyring *keyring_load(const char *path, GError **error) {
    g_autofree char *text = NULL;
    gsize size = 0;
    Keyring *keyring;

    if (!g_file_get_contents(path, &text, &size, error))
        return NULL;
    keyring = keyring_parse(text, size, error);
    if (!keyring)
        g_prefix_error(error, "%s: ", path);
    return keyring;
}

/* Whether KEY could sign at the time CREATED, and its signatures count at NOW. */
static gboolean is_valid(const Key *key, const OpenpgpReadSignature *signature, gint64 now) {
    return signature->created >= key->created && (!key->expires || now < key->expires) &&
           (!signature->expires || now < signature->created + signature->expires);
}

static const Key *find_signer(const Keyring *keyring, const OpenpgpReadSignature *signature, Span content, gint64 now) {
    for (guint i = 0; i < keyring->keys->len; i++) {
        const Key *key = keyring->keys->pdata[i];
        if ((!signature->has_issuer || memcmp(signature->issuer, key->id, sizeof key->id) == 0) &&
                is_valid(key, signature, now) && openpgp_read_check(signature, key->key, key->algorithm, &content, 1))
            return key;
    }
    return NULL;
}

gboolean keyring_verify(const Keyring *keyring, GBytes *signature, const void *data, gsize size, gint64 now,
        const char **ret_key, GError **error) {
    g_autoptr(GBytes) bytes = g_bytes_get_size(signature) <= LARGEST ? openpgp_read_armor(signature) : NULL;
    OpenpgpReadPacket packet;
    OpenpgpReadSignature read;
    Span rest = {NULL, 0};
    guint n = 0;

    if (bytes)
        rest.data = g_bytes_get_data(bytes, &rest.size);
    for (; openpgp_read_packet(&rest, &packet); n++) {
        if (packet.tag != OPENPGP_READ_SIGNATURE || !openpgp_read_signature(packet.body, &read) ||
                read.type != SIGNATURE_DOCUMENT)
            continue;
        const Key *key = find_signer(keyring, &read, (Span){data, size}, now);
        if (key) {
            if (ret_key)
                *ret_key = key->fingerprint;
            return TRUE;
        }
    }
    return update_fail(error, UPDATE_ERROR_UNTRUSTED,
            n == 0 ? "it is no OpenPGP signature" : "it is not signed by a key that this device trusts");
}
