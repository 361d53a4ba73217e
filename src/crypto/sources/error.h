/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Failures of the rooms that judge keys, signatures and foreign bytes. */
typedef enum {
    CRYPTO_ERROR_FAILED,     /* the library refused; the message carries its reason */
    CRYPTO_ERROR_MISSING,    /* a key or certificate does not exist */
    CRYPTO_ERROR_PERMISSION, /* a private key is readable by others */
    CRYPTO_ERROR_MALFORMED,  /* foreign bytes that are not what they should be */
    CRYPTO_ERROR_MISMATCH,   /* key and certificate, or signature and content, do not belong together */
    CRYPTO_ERROR_EXISTS,     /* a file that must not be overwritten */
    CRYPTO_ERROR_UNSUPPORTED,
} CryptoError;

#define CRYPTO_ERROR crypto_error_quark()
GQuark crypto_error_quark(void);
