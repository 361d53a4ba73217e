/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/sources/openssl-error.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

G_DEFINE_QUARK(particleos - crypto - error, crypto_error)

gboolean crypto_set_openssl_error(GError **error, CryptoError code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);

    /* The oldest entry is the cause, later ones are the callers that failed because of it. */
    unsigned long first = ERR_get_error();
    const char *reason = first ? ERR_reason_error_string(first) : NULL;
    ERR_clear_error();
    g_set_error(error, CRYPTO_ERROR, code, "%s: %s", what, reason ? reason : "OpenSSL gives no reason");
    return FALSE;
}

GBytes *crypto_take_der(unsigned char *der, int size) {
    if (size < 0 || !der)
        return NULL;
    GBytes *bytes = g_bytes_new(der, size);
    OPENSSL_free(der);
    return bytes;
}
