/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* X.509 certificates: who signed. Immutable and reference-counted. */

#include <glib.h>
#include <openssl/types.h>

#include "crypto/sources/key-source.h"

typedef struct Certificate Certificate;

/* Reads a certificate from the file PATH, PEM or DER. */
Certificate *certificate_load(const char *path, GError **error);

/* Reads a certificate from SIZE bytes, PEM or DER. Bytes after the certificate are an error in DER. */
Certificate *certificate_new(const void *data, gsize size, GError **error);

/* Wraps an X509 that is already there; takes a reference. */
Certificate *certificate_new_from_x509(X509 *x509);

Certificate *certificate_ref(Certificate *certificate);
void certificate_unref(Certificate *certificate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Certificate, certificate_unref)

/* Every certificate (*.crt, *.pem, *.cer, *.der) of the directory PATH, sorted by file name; an array of
 * Certificate. A directory that does not exist gives an empty array. */
GPtrArray *certificate_load_directory(const char *path, GError **error);

/* Names as RFC 2253 prints them ("CN=Example"), owned by the certificate. */
const char *certificate_get_subject(const Certificate *certificate);
const char *certificate_get_issuer(const Certificate *certificate);

/* SHA-256 over the DER encoding: as 64 lower-case hexadecimal digits, and as bytes. */
const char *certificate_get_fingerprint(const Certificate *certificate);
const guint8 *certificate_get_sha256(const Certificate *certificate);

/* "CN=Example (3c2bbf44d76e021b…)" for messages: names alone do not tell keys apart. Owned by the
 * certificate. */
const char *certificate_get_description(const Certificate *certificate);

/* The DER encoding; owned by the certificate. */
GBytes *certificate_get_der(const Certificate *certificate);

/* PEM text of the certificate; owned by the caller. */
char *certificate_to_pem(const Certificate *certificate);

/* PEM text of the public key; owned by the caller. */
GBytes *certificate_get_public_key_pem(const Certificate *certificate, GError **error);

/* The algorithm of the certified key as OpenSSL calls it ("RSA", "EC", "ED25519"), and its size (RET_BITS may be
 * NULL). Owned by the certificate; "" when it cannot be read. */
const char *certificate_get_key_type(const Certificate *certificate, guint *ret_bits);

/* The common name of the subject as UTF-8; owned by the caller. NULL: it has none. */
char *certificate_get_common_name(const Certificate *certificate);

/* From when to when the certificate is valid, both included, in seconds since 1970. */
gboolean certificate_get_validity(const Certificate *certificate, gint64 *ret_from, gint64 *ret_until,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The OpenSSL object; owned by the certificate. */
X509 *certificate_peek(const Certificate *certificate);

gboolean certificate_equal(const Certificate *a, const Certificate *b);

/* Whether the certificate is signed by its own key. */
gboolean certificate_is_self_signed(const Certificate *certificate);

/* Whether the certificate says CA:TRUE in its basic constraints, which OVMF wants of a platform key. */
gboolean certificate_is_ca(const Certificate *certificate);

/* Fails unless CERTIFICATE certifies the public half of KEY. */
gboolean certificate_check_key(const Certificate *certificate, const KeySource *key, GError **error) G_GNUC_WARN_UNUSED_RESULT;
