/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* New private keys: of OpenSSL, of a TPM, in a PKCS#11 token. */

#include <glib.h>

#include "crypto/generate/genkey-options.h"
#include "crypto/keys/key-session.h"

/* A new key for OPTIONS, which is where the caller writes *RET_PEM: PKCS#8, or what OPTIONS->provider alone can open. */
KeySource *key_make(const GenkeyOptions *options, GBytes **ret_pem, GError **error);

/* Whether an object that URI names is in a token, as far as OpenSSL's provider NAME shows it without a PIN. */
gboolean key_token_has(KeySession *session, const char *name, const char *uri);

/* Makes an RSA key with BITS in the token that the PKCS#11 URI names, through OpenSSL's provider NAME ("pkcs11"). Asks
 * SESSION for the PIN, unless it is in URI. The key stays there. */
KeySource *key_make_in_token(KeySession *session, const char *name, const char *uri, int bits, GError **error);
