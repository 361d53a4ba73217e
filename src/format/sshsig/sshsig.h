/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Signatures over files by keys of SSH (PROTOCOL.sshsig of OpenSSH), as `ssh-keygen -Y sign` makes them. */

#include <glib.h>

#define SSHSIG_ERROR sshsig_error_quark()
GQuark sshsig_error_quark(void);

typedef enum {
    SSHSIG_ERROR_MALFORMED, /* it is no such signature, or no such key */
    SSHSIG_ERROR_KEY,       /* it is one of another key */
    SSHSIG_ERROR_BAD,       /* it is not one over this */
} SshsigError;

/* The largest signature and key that are read. */
#define SSHSIG_SIZE_MAX (16 * 1024)

/* The blob of the public key LINE: "TYPE BASE64", without a name behind it. SSHSIG_ERROR_MALFORMED: it is none, or of a kind that
 * is not taken (format/sshsig/ssh-public-key.h). */
GBytes *sshsig_key_parse(const char *line, GError **error);

/* "SHA256:…" of a key, as ssh-keygen -l shows it. Owned by the caller. */
char *sshsig_key_fingerprint(GBytes *key);

/* The key that the armored SIGNATURE says it is by; whether it is, sshsig_verify() judges. */
GBytes *sshsig_peek_key(const char *signature, gsize size, GError **error);

/* Whether the armored SIGNATURE (SIZE bytes) is one by KEY over MESSAGE for the purpose PURPOSE (the namespace of ssh-keygen). */
gboolean sshsig_verify(const char *signature, gsize size, GBytes *key, const char *purpose, const void *message,
        gsize message_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
