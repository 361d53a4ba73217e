/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tokens, engines and providers that keys of one run come from, and what people have typed to open them: a PIN or a
 * passphrase is asked for once, however many keys and signatures there are. Safe for several threads. */

#include <glib.h>

#include "crypto/certificates/certificate.h"
#include "crypto/sources/key-source.h"
#include "crypto/sources/key-wait.h"

typedef struct KeySession KeySession;

/* Gets the answer to PROMPT ("PIN of the token particleos"), for instance from a terminal. Owned by the caller, who
 * wipes it. NULL: there is none, and ERROR says why. Never called twice at a time. */
typedef char *(*KeyAsk)(const char *prompt, gpointer data, GError **error);

/* ASK NULL: nobody can be asked. DATA is borrowed. */
KeySession *key_session_new(KeyAsk ask, gpointer data);

/* TELL hears of signatures in tokens that take longer than a second. DATA is borrowed. */
void key_session_on_wait(KeySession *session, KeyWaiting tell, gpointer data);

/* Wipes the answers. Keys that were opened stay usable, but one that asks for each signature asks no more. */
void key_session_free(KeySession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeySession, key_session_free)

/* Opens a private key, or returns one that is open already. NAME may be NULL for files. Refuses, saying what to do: a
 * missing file, a file that people outside its owner and group may read or write, anything that is not a private key, an
 * engine or provider that OpenSSL does not have, a wrong answer. That is never tried a second time, because tokens lock.
 * The key must not be used after the session has gone. */
KeySource *key_session_open(KeySession *session, KeySourceKind kind, const char *name, const char *locator,
        GError **error);

/* The same for the certificate of a key. A PKCS#12 file, which has both, is asked for its passphrase once. */
Certificate *key_session_open_certificate(KeySession *session, KeySourceKind kind, const char *name,
        const char *locator, GError **error);

/* The certificate that lies in a token beside KEY, a PKCS#11 URI that is opened already. */
Certificate *key_session_find_certificate(KeySession *session, KeySourceKind kind, const char *name, const char *uri,
        const KeySource *key, GError **error);

/* The same as key_session_open() for one key with nobody to ask. */
KeySource *key_source_new(KeySourceKind kind, const char *name, const char *locator, GError **error);
