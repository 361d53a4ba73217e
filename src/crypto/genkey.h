/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A new private key with a self-signed certificate that UEFI firmware takes as platform key and the kernel
 * takes for verity root hash and module signatures. */

#include <glib.h>

#define GENKEY_DEFAULT_VALID_DAYS 730
#define GENKEY_DEFAULT_RSA_BITS 2048 /* what every UEFI firmware verifies */

typedef struct {
    const char *common_name; /* subject and issuer */
    int valid_days;          /* 1 to 36500, counted from now */
    int rsa_bits;            /* 0: GENKEY_DEFAULT_RSA_BITS */
} GenkeyOptions;

/* Makes DIRECTORY_FD/KEY_NAME (mode 0600, PKCS#8 PEM) and DIRECTORY_FD/CERTIFICATE_NAME (mode 0644, PEM).
 * Neither may exist. Both appear complete or not at all. */
gboolean genkey_create_at(int directory_fd, const char *key_name, const char *certificate_name,
        const GenkeyOptions *options, GError **error);
