/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the sources of keys need of the session in which they are opened. */

#include <glib.h>
#include <openssl/types.h>

typedef struct KeySession KeySession;

/* The answer to PROMPT, from memory or asked for; owned by the session. NULL: nobody answers, or it has been given
 * already while this key is opened, and so was wrong. */
const char *key_session_answer(KeySession *session, const char *prompt);

/* A key is about to be opened. */
void key_session_begin(KeySession *session);

/* What went wrong with asking since then: sets ERROR and returns TRUE, or returns FALSE. WHAT names the key. */
gboolean key_session_take_error(KeySession *session, const char *what, GError **error);

/* Through which OpenSSL asks; its user data is the session. Owned by the session. */
UI_METHOD *key_session_ui(KeySession *session);

/* key-file.c: a PEM file, which others must not be able to read. */
EVP_PKEY *key_file_load(KeySession *session, const char *path, GError **error);

/* key-token.c: keys of an engine or a provider. NAME is not NULL. */
EVP_PKEY *key_engine_load(KeySession *session, const char *name, const char *locator, GError **error);
EVP_PKEY *key_provider_load(KeySession *session, const char *name, const char *locator, GError **error);
