/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What OpenPGP packets hold, for the key ring. Foreign bytes: every length is checked. Pointers lead into the bytes that
 * were given. */

#include <glib.h>
#include <openssl/types.h>

enum {
    OPENPGP_READ_SIGNATURE = 2,
    OPENPGP_READ_PRIMARY_KEY = 6,
    OPENPGP_READ_SUBKEY = 14,
};

typedef struct {
    const guint8 *data;
    gsize size;
} Span;

typedef struct {
    guint8 tag;
    Span body;
} OpenpgpReadPacket;

/* Takes the packet at the beginning of REST. FALSE at the end, and where there is none or one of no known length; then
 * REST has a size if something is left. */
gboolean openpgp_read_packet(Span *rest, OpenpgpReadPacket *ret);

/* The packets in BYTES: as they are, or out of armour. NULL: armour that cannot be read. */
GBytes *openpgp_read_armor(GBytes *bytes);

/* A signature of version 4. */
typedef struct {
    guint8 type;
    guint8 algorithm;
    const char *digest; /* as OpenSSL calls it */
    Span hashed;        /* from the version to the end of the hashed subpackets: what is signed behind the document */
    Span numbers;
    guint8 digest_start[2];
    gint64 created;
    gint64 expires; /* seconds after CREATED; 0: never */
    gint64 key_expires;
    guint8 flags; /* of the key; 0: not said */
    gboolean has_flags;
    gboolean has_issuer;
    guint8 issuer[8];
    Span embedded; /* the body of another signature */
} OpenpgpReadSignature;

/* FALSE: of another version, malformed, with a digest that is not taken, or with a critical subpacket nobody knows. */
gboolean openpgp_read_signature(Span body, OpenpgpReadSignature *ret);

/* The public key in the BODY of a packet, and when it was made; NULL: another version, another algorithm, too short. */
EVP_PKEY *openpgp_read_key(Span body, guint8 *ret_algorithm, gint64 *ret_created);

/* Whether NUMBERS, the end of a signature packet, are KEY's signature of the SIZE bytes of DIGEST, made with the digest
 * that OpenSSL calls NAME. */
gboolean openpgp_read_check_numbers(EVP_PKEY *key, guint8 algorithm, const char *name, const guint8 *digest, gsize size,
        Span numbers) G_GNUC_WARN_UNUSED_RESULT;

/* Whether SIGNATURE by KEY, of ALGORITHM, is over the N spans at CONTENT and its own hashed part. */
gboolean openpgp_read_check(const OpenpgpReadSignature *signature, EVP_PKEY *key, guint8 algorithm, const Span *content,
        gsize n) G_GNUC_WARN_UNUSED_RESULT;
