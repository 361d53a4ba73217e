/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Public keys of SSH (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709, PROTOCOL.u2f of OpenSSH) and signatures by them. */

#include <openssl/evp.h>

#include "format/sshsig/ssh-reader.h"

typedef enum {
    SSH_KEY_ED25519,
    SSH_KEY_ECDSA,
    SSH_KEY_RSA,
    SSH_KEY_SK_ED25519, /* in a FIDO2 token, as the next */
    SSH_KEY_SK_ECDSA,
} SshKeyKind;

typedef struct {
    SshKeyKind kind;
    const char *type;     /* "ssh-ed25519" …; static */
    const char *digest;   /* of ECDSA, as OpenSSL calls it; static, NULL for others */
    EVP_PKEY *key;
    SshBytes application; /* of tokens; belongs to the blob */
} SshPublicKey;

void ssh_public_key_clear(SshPublicKey *key);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SshPublicKey, ssh_public_key_clear)

/* Reads the whole of BLOB, which has to last as long. FALSE: it is no key, or one of a kind or size that is not taken: RSA of 2048
 * to 8192 bits, ECDSA over P-256, P-384 and P-521, Ed25519, and the last of P-256 and Ed25519 in tokens. No certificates. */
gboolean ssh_public_key_read(SshBytes blob, SshPublicKey *ret) G_GNUC_WARN_UNUSED_RESULT;

/* Whether SIGNATURE (the string of RFC 4253 section 6.6) is one of KEY over MESSAGE. RSA with SHA-1 is none; one by a token has to
 * say that somebody was present. */
gboolean ssh_public_key_verify(
        const SshPublicKey *key, SshBytes message, SshBytes signature) G_GNUC_WARN_UNUSED_RESULT;
