/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* PINs and passphrases where nobody types: the credential particleos.key-pin of the service. */

#include <glib.h>

/* For key_session_new(): the first line of the credential answers every PROMPT. */
char *credential_ask(const char *prompt, gpointer data, GError **error);
