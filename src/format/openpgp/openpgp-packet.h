/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How OpenPGP writes numbers, packets and what is in them; for the other files of OpenPGP. */

#include <glib.h>

#include "format/openpgp/openpgp.h"

enum {
    OPENPGP_PACKET_SIGNATURE = 2,
    OPENPGP_PACKET_PUBLIC_KEY = 6,
    OPENPGP_PACKET_USER_ID = 13,
};

typedef enum {
    OPENPGP_RSA = 1,
    OPENPGP_ECDSA = 19,
    OPENPGP_EDDSA = 22, /* the one of version 4 */
} OpenpgpAlgorithm;

#define OPENPGP_SHA256 8

typedef enum {
    OPENPGP_SIGNATURE_BINARY = 0x00,
    OPENPGP_SIGNATURE_POSITIVE = 0x13, /* of a key and a name that belong together */
} OpenpgpSignatureType;

typedef enum {
    OPENPGP_SUBPACKET_CREATED = 2,
    OPENPGP_SUBPACKET_PREFERRED_CIPHERS = 11,
    OPENPGP_SUBPACKET_ISSUER = 16,
    OPENPGP_SUBPACKET_PREFERRED_HASHES = 21,
    OPENPGP_SUBPACKET_SERVER = 23,
    OPENPGP_SUBPACKET_PRIMARY = 25,
    OPENPGP_SUBPACKET_KEY_FLAGS = 27,
    OPENPGP_SUBPACKET_FEATURES = 30,
    OPENPGP_SUBPACKET_ISSUER_FINGERPRINT = 33,
} OpenpgpSubpacket;

struct OpenpgpKey {
    EVP_PKEY *public_key;
    OpenpgpAlgorithm algorithm;
    char *user_id;
    gint64 created;
    GByteArray *body; /* of the public key packet */
    guint8 fingerprint[OPENPGP_FINGERPRINT_SIZE];
    char *fingerprint_text;
    OpenpgpSignFunc sign;
    gpointer data;
    KeySource *source; /* NULL: DATA is the caller's */
};

/* Numbers with the most significant byte first. */
void openpgp_put_u8(GByteArray *out, guint8 value);
void openpgp_put_u16(GByteArray *out, guint16 value);
void openpgp_put_u32(GByteArray *out, guint32 value);

/* A number of any size, which SIZE bytes at DATA spell. */
void openpgp_put_mpi(GByteArray *out, const guint8 *data, gsize size);

/* A packet, or a subpacket of a signature, with SIZE bytes of content. */
void openpgp_put_packet(GByteArray *out, guint8 tag, const void *data, gsize size);
void openpgp_put_subpacket(GByteArray *out, OpenpgpSubpacket type, const void *data, gsize size);

/* A time as subpackets and keys have it; an error when 32 bits have no room for it. */
gboolean openpgp_check_time(gint64 seconds, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The packet of a signature of TYPE over BYTES, to which is added what of the packet is signed. HASHED are the subpackets
 * among that. */
GBytes *openpgp_sign(const OpenpgpKey *key, OpenpgpSignatureType type, const GByteArray *hashed,
        GByteArray *bytes, GError **error);

/* Puts what every signature says about itself: when, and by which key. */
void openpgp_put_origin(GByteArray *hashed, const OpenpgpKey *key, guint32 when);
