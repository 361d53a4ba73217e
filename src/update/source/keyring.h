/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Key rings of OpenPGP, and whether a detached signature is by one of their keys. Keys and signatures are of version 4 (RFC
 * 4880, RFC 9580): RSA from 2048 bits on, Ed25519, ECDSA on P-256 and P-384; digests SHA-256, SHA-384 and SHA-512.
 *
 * A key ring is trusted: whoever can write it decides who may sign. So a primary key counts as it stands there. A subkey
 * counts when the key ring has the primary key's signature that it may sign; a key with a revocation does not, nor one whose
 * time is over. Other keys are not looked at. */

#include <glib.h>

typedef struct Keyring Keyring;

/* Reads packets, or armour around them. It is an error when there is no key that could sign. */
Keyring *keyring_parse(const void *data, gsize size, GError **error);
Keyring *keyring_load(const char *path, GError **error);
void keyring_free(Keyring *keyring);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Keyring, keyring_free)

/* How many keys can sign. */
guint keyring_get_size(const Keyring *keyring);

/* Whether SIGNATURE, packets or armour, has a signature of the SIZE bytes at DATA by a key of the ring that may sign at NOW
 * (seconds since 1970). Several signatures may be there: one is enough. RET_KEY (may be NULL) is the fingerprint of who
 * signed, owned by the key ring. The error is UPDATE_ERROR_UNTRUSTED. */
gboolean keyring_verify(const Keyring *keyring, GBytes *signature, const void *data, gsize size, gint64 now,
        const char **ret_key, GError **error) G_GNUC_WARN_UNUSED_RESULT;
