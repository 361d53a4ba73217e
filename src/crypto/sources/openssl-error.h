/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From OpenSSL's error queue to GError, and cleanup of OpenSSL's types. */

#include <glib.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "crypto/sources/error.h"

/* Sets ERROR to the formatted text followed by the reason that OpenSSL gives, and empties its queue. Returns
 * FALSE, so that callers can return it. */
gboolean crypto_set_openssl_error(GError **error, CryptoError code, const char *format, ...)
        G_GNUC_PRINTF(3, 4);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PKCS7, PKCS7_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509_EXTENSION, X509_EXTENSION_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ASN1_OBJECT, ASN1_OBJECT_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ASN1_TYPE, ASN1_TYPE_free)

/* Takes what an i2d function allocated: SIZE bytes at DER, or NULL when the function failed. */
GBytes *crypto_take_der(unsigned char *der, int size);
