/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the answer to a token's question for a PIN, or to a key's for a passphrase, comes from: the first that there is of
 * --key-pin-fd=, --key-pinentry=, the credential "particleos.key-pin" (systemd's LoadCredential=, $CREDENTIALS_DIRECTORY)
 * and the terminal. Never an argument or a variable of the environment, which others can read. */

#include <glib.h>

#include "crypto/keys/key-session.h"

typedef struct KeyPrompt KeyPrompt;

/* Asks QUESTION on the terminal; the answer is owned by the caller, who wipes it. NULL with ERROR set where there is no
 * terminal, or no answer. */
typedef char *(*KeyPromptAsk)(const char *question, GError **error);

/* Keeps children from inheriting the descriptor PIN_FD, the value of --key-pin-fd= (NULL: none). Before the first child is started. */
void key_prompt_hide(const char *pin_fd);

/* Reads the descriptor PIN_FD to its end and closes it. PINENTRY is the value of --key-pinentry=; NULL: none. An error when it is not open, says nothing, or is a
 * file that others can read. ASK asks on the terminal. */
KeyPrompt *key_prompt_new(const char *pin_fd, const char *pinentry, KeyPromptAsk ask, GError **error);

/* Wipes what was read. */
void key_prompt_free(KeyPrompt *prompt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeyPrompt, key_prompt_free)

/* A session whose questions PROMPT answers (NULL: nobody does), and that says when a token takes long to sign. */
KeySession *key_prompt_session(KeyPrompt *prompt);

/* The answer to QUESTION. A KeyAsk (crypto/keys/key-session.h); DATA is the KeyPrompt. Of a text with several lines, the first
 * answers the first question, and so on, the last one all that follow. */
char *key_prompt_answer(const char *question, gpointer data, GError **error);
