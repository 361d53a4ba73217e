/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A new private key with a self-signed certificate, for images or for manifests. */

#include <glib.h>

#define GENKEY_DEFAULT_VALID_DAYS 730
#define GENKEY_VALID_DAYS_MAX 36500
#define GENKEY_DEFAULT_RSA_BITS 2048 /* what every UEFI firmware verifies */

typedef enum {
    /* RSA; UEFI firmware takes the certificate as platform key, and the kernel takes it for verity root hash and
     * module signatures. */
    GENKEY_FOR_IMAGES,
    /* Ed25519; the certificate holds name and time of an OpenPGP key. Its beginning lies far back and is the same
     * for all, because devices whose clock is behind refuse a key of the future. */
    GENKEY_FOR_MANIFESTS,
} GenkeyPurpose;

typedef struct {
    GenkeyPurpose purpose;
    const char *common_name; /* subject and issuer */
    int valid_days;          /* 1 to GENKEY_VALID_DAYS_MAX, counted from now */
    int rsa_bits;            /* 0: GENKEY_DEFAULT_RSA_BITS; of images */
} GenkeyOptions;

/* Makes DIRECTORY_FD/KEY_NAME (mode 0600, PKCS#8 PEM) and DIRECTORY_FD/CERTIFICATE_NAME (mode 0644, PEM).
 * Neither may exist. Both appear complete or not at all. */
gboolean genkey_create_at(int directory_fd, const char *key_name, const char *certificate_name,
        const GenkeyOptions *options, GError **error);
