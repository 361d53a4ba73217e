/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a new key and its certificate shall be like. */

#include <glib.h>

#define GENKEY_DEFAULT_VALID_DAYS 730
#define GENKEY_VALID_DAYS_MAX 36500
#define GENKEY_DEFAULT_RSA_BITS 2048 /* what every UEFI firmware verifies */

typedef enum {
    /* RSA; UEFI firmware takes the certificate as platform key, and the kernel takes it for verity root hash and
     * module signatures. */
    GENKEY_FOR_IMAGES,
    /* Ed25519 in a file; the certificate holds name and time of an OpenPGP key. Its beginning lies far back and is the
     * same for all, because devices whose clock is behind refuse a key of the future. */
    GENKEY_FOR_MANIFESTS,
} GenkeyPurpose;

typedef struct {
    GenkeyPurpose purpose;
    const char *common_name; /* subject and issuer */
    int valid_days;          /* 1 to GENKEY_VALID_DAYS_MAX, counted from now */
    int rsa_bits;            /* 0: GENKEY_DEFAULT_RSA_BITS; of images */
    const char *provider;    /* OpenSSL's provider that makes the key and alone can use its file (tpm2), or NULL */
    gboolean request;        /* not a certificate, but a request for one (PKCS#10) */
} GenkeyOptions;
