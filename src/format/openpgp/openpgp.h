/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* OpenPGP as far as it takes to sign a file: a key with one name, its signature of itself, and signatures of
 * bytes. Packets are of version 4 (RFC 4880, RFC 9580), which every reader knows. The private key stays where it
 * is: a function signs a digest. The same key, times and bytes give the same packets, except with ECDSA. */

#include <glib.h>
#include <openssl/types.h>

#include "base/sha256.h"
#include "crypto/certificates/certificate.h"
#include "crypto/sources/key-source.h"

#define OPENPGP_FINGERPRINT_SIZE 20
#define OPENPGP_KEY_ID_SIZE 8
#define OPENPGP_USER_ID_MAX 1024

typedef struct OpenpgpKey OpenpgpKey;

/* Signs SIZE bytes at BYTES, as key_source_sign() does: RSA with PKCS#1 v1.5 padding and ECDSA (DER) over their SHA-256
 * digest; with Ed25519 the bytes are such a digest, and themselves the message. */
typedef GBytes *(*OpenpgpSignFunc)(gpointer data, const void *bytes, gsize size, GError **error);

/* A key. PUBLIC_KEY is RSA with 2048 to 4096 bits, Ed25519, or EC on P-256; a reference is taken. USER_ID is who
 * signs, as UTF-8 text. CREATED, in seconds since 1970, is part of the key: with another time it is another key.
 * SIGN is called with DATA, which the caller keeps until the key is freed. */
OpenpgpKey *openpgp_key_new(EVP_PKEY *public_key, const char *user_id, gint64 created, OpenpgpSignFunc sign,
        gpointer data, GError **error);

/* The same for a private key; a reference of KEY is taken. */
OpenpgpKey *openpgp_key_new_for_source(KeySource *key, const char *user_id, gint64 created, GError **error);

/* The same with name and time of the key's certificate, so that it is one OpenPGP key in each build and on each
 * machine: the common name (else the whole subject), and the beginning of its validity. The certificate has to be
 * that of KEY; whether it has expired is not asked. */
OpenpgpKey *openpgp_key_new_for_certificate(KeySource *key, const Certificate *certificate, GError **error);

void openpgp_key_free(OpenpgpKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OpenpgpKey, openpgp_key_free)

/* The fingerprint as 40 upper-case hexadecimal digits; its last 16 are the key ID. Owned by the key. */
const char *openpgp_key_get_fingerprint(const OpenpgpKey *key);

/* The time from which on the key can sign. */
gint64 openpgp_key_get_created(const OpenpgpKey *key);

/* The transferable public key: key, name, and the signature that binds them. As it is, it is a key ring that
 * gpgv, systemd-sysupdate and others read. */
GBytes *openpgp_key_export(const OpenpgpKey *key, GError **error);

/* A detached signature of bytes that come one after another. */
typedef struct OpenpgpSignature OpenpgpSignature;

/* Begins a signature; KEY has to live until its end. */
OpenpgpSignature *openpgp_signature_new(const OpenpgpKey *key);
void openpgp_signature_update(OpenpgpSignature *signature, const void *data, gsize size);

/* The signature packet, made at the time WHEN (seconds since 1970, not before the key). Nothing can be added
 * afterwards. What the key answers is checked: a token that lies, or a key that is not the public one, is an error. */
GBytes *openpgp_signature_finish(OpenpgpSignature *signature, gint64 when, GError **error);

void openpgp_signature_free(OpenpgpSignature *signature);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OpenpgpSignature, openpgp_signature_free)

/* The check sum of armour. */
guint32 openpgp_crc24(const void *data, gsize size);

#define OPENPGP_ARMOR_SIGNATURE "SIGNATURE"
#define OPENPGP_ARMOR_PUBLIC_KEY "PUBLIC KEY BLOCK"

/* Packets as text, between "-----BEGIN PGP TYPE-----" and "-----END PGP TYPE-----"; owned by the caller. */
char *openpgp_armor(const char *type, GBytes *packets);
