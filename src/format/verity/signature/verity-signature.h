/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The content of a verity signature partition (Discoverable Partitions Specification): a JSON object with
 * the root hash, a detached PKCS#7 signature of its hexadecimal text, and the signer's fingerprint, followed
 * by zeros. */

#include <glib.h>

#include "crypto/certificates/certificate.h"
#include "crypto/sources/key-source.h"

/* Size of the partition in bytes, as systemd-repart makes it. */
#define VERITY_SIGNATURE_PARTITION_SIZE 16384u

/* The detached signature of the ROOT_HASH_SIZE bytes at ROOT_HASH, as the kernel and `openssl smime -verify`
 * read it (DER; the signed content is the root hash in lower-case hexadecimal). */
GBytes *verity_signature_sign(const guint8 *root_hash, gsize root_hash_size, const KeySource *key,
        const Certificate *certificate, GError **error);

/* The whole partition for such a signature: VERITY_SIGNATURE_PARTITION_SIZE bytes. */
GBytes *verity_signature_partition_build(const guint8 *root_hash, gsize root_hash_size, GBytes *signature,
        const Certificate *certificate, GError **error);

/* PARTITION with a signature by KEY instead of one that is pending (cms_message_is_pending()) and by CERTIFICATE. NULL
 * without ERROR set when it is not. */
GBytes *verity_signature_complete(
        GBytes *partition, const KeySource *key, const Certificate *certificate, GError **error);

/* What a verity signature partition says. */
typedef struct {
    GBytes *root_hash;
    GBytes *signature; /* DER */
    char *fingerprint; /* SHA-256 of the certificate in lower-case hexadecimal, or NULL */
} VeritySignature;

VeritySignature *verity_signature_parse(const void *data, gsize size, GError **error);
void verity_signature_free(VeritySignature *signature);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VeritySignature, verity_signature_free)

/* Checks the signature over the root hash that SIGNATURE names. The signer is looked for in CANDIDATES (an
 * array of Certificate) and inside the signature; RET_SIGNER (may be NULL) receives a new reference. */
gboolean verity_signature_verify(
        const VeritySignature *signature, GPtrArray *candidates, Certificate **ret_signer, GError **error) G_GNUC_WARN_UNUSED_RESULT;
