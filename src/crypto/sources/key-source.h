/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where a private key lives and how to sign with it. Keys never leave OpenSSL: a key of an engine or
 * provider may not be readable at all, so everything that signs takes a KeySource. */

#include <glib.h>
#include <openssl/types.h>

#include "base/sha256.h"

typedef enum {
    KEY_SOURCE_KIND_FILE,     /* LOCATOR is the path of a PEM file */
    KEY_SOURCE_KIND_ENGINE,   /* NAME is an OpenSSL engine, LOCATOR its key identifier */
    KEY_SOURCE_KIND_PROVIDER, /* NAME is an OpenSSL provider, LOCATOR a URI that it understands */
} KeySourceKind;

typedef struct KeySource KeySource;

/* Wraps a private key that is already there; takes a reference of PKEY. DESCRIPTION appears in messages. */
KeySource *key_source_new_from_pkey(EVP_PKEY *pkey, const char *description);

/* A key that an engine or the provider PROVIDER (NULL: an engine) signs with; takes the reference of PKEY. */
KeySource *key_source_new_foreign(EVP_PKEY *pkey, const char *description, const char *provider);

/* Signs SIZE bytes at DATA as key_source_sign() does; USER is what the key was made with. */
typedef GBytes *(*KeySignFunc)(gpointer user, const void *data, gsize size, GError **error);

/* A key of which only the public half PUBLIC_KEY is here (a reference is taken): SIGN gets the bytes and signs them
 * somewhere else, or says what stands for the signature until then. USER is borrowed. */
KeySource *key_source_new_elsewhere(
        EVP_PKEY *public_key, const char *description, KeySignFunc sign, gpointer user);

/* Called before and after each signature of a token. WHAT is the key's description; END gets what BEGIN returned, and when
 * the signature failed an ERROR that it may set and return TRUE; NULL otherwise. */
typedef gpointer (*KeySignatureBegin)(const char *what, gpointer data);
typedef gboolean (*KeySignatureEnd)(gpointer state, const char *what, gpointer data, GError **error);

/* Makes them be called for the foreign KEY. DATA is borrowed. */
void key_source_watch(KeySource *key, KeySignatureBegin begin, KeySignatureEnd end, gpointer data);

KeySource *key_source_ref(KeySource *key);
void key_source_unref(KeySource *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeySource, key_source_unref)

/* How to name the key in messages ("mkosi.key"); owned by the key. */
const char *key_source_get_description(const KeySource *key);

/* The OpenSSL key; owned by the key source. */
EVP_PKEY *key_source_peek(const KeySource *key);

/* The public half as PEM "PUBLIC KEY" text (what .pcrpkey holds), NUL-terminated after its SIZE bytes. */
GBytes *key_source_get_public_pem(const KeySource *key, GError **error);

/* The public half as DER SubjectPublicKeyInfo. */
GBytes *key_source_get_public_der(const KeySource *key, GError **error);

/* Whether the same input always gives the same signature bytes: RSA with PKCS#1 v1.5 padding does, ECDSA
 * only with deterministic nonces (OpenSSL 3.2 and later, keys in files). */
gboolean key_source_is_deterministic(const KeySource *key);

/* Starts a signature by KEY in CONTEXT, for what OpenSSL signs itself (certificates): over the SHA-256 digest, or with
 * an Ed25519 key over all bytes. */
gboolean key_source_sign_init(const KeySource *key, EVP_MD_CTX *context) G_GNUC_WARN_UNUSED_RESULT;

/* Signs the SHA-256 digest of SIZE bytes at DATA: PKCS#1 v1.5 with an RSA key, ECDSA with an EC key. With an Ed25519 key
 * the bytes themselves. */
GBytes *key_source_sign(const KeySource *key, const void *data, gsize size, GError **error);

/* Signs DIGEST, a SHA-256 digest that is computed already: PKCS#1 v1.5 with an RSA key, ECDSA with an EC key.
 * With an Ed25519 key its 32 bytes are the message. */
GBytes *key_source_sign_digest(
        const KeySource *key, const guint8 digest[static SHA256_SIZE], GError **error);

/* The size in bytes of signatures by the key PKEY; 0 when they are not all of one size (elliptic curves in DER). */
gsize public_key_get_signature_size(EVP_PKEY *pkey);

/* What stands for a signature by the key PKEY until there is one: zeros of its size. No key makes such a signature. */
GBytes *public_key_make_pending(EVP_PKEY *pkey);

/* Checks such a signature of a digest. */
gboolean public_key_verify_digest(EVP_PKEY *public_key, const guint8 digest[static SHA256_SIZE],
        GBytes *signature, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Checks a signature of key_source_sign() with a public key (PEM text or DER SubjectPublicKeyInfo in PUBLIC_KEY). */
gboolean public_key_verify(
        GBytes *public_key, const void *data, gsize size, GBytes *signature, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The DER SubjectPublicKeyInfo of a public key in PEM or DER. */
GBytes *public_key_to_der(GBytes *public_key, GError **error);
