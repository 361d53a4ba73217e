/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Public keys as OpenSSH writes them. */

#include "crypto/certificates/certificate.h"

/* The line for authorized_keys of the key that CERTIFICATE certifies, with a newline (RFC 4253 section 6.6,
 * RFC 5656 section 3.1, RFC 8709). RSA, ECDSA over P-256, P-384 and P-521, Ed25519. Owned by the caller. */
char *certificate_to_ssh_key(const Certificate *certificate, GError **error);
