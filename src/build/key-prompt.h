/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the answer to a token's question for a PIN, or to a key's for a passphrase, comes from. */

#include <glib.h>

/* The first line of the credential "particleos.key-pin" (systemd's LoadCredential=, $CREDENTIALS_DIRECTORY), or what
 * somebody types at the terminal. A KeyAsk (crypto/key-session.h). */
char *key_prompt_answer(const char *prompt, gpointer data, GError **error);
