/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the sources of keys need of the session in which they are opened. */

#include <glib.h>
#include <openssl/types.h>

#include "crypto/certificates/certificate.h"

typedef struct KeySession KeySession;

/* The answer to PROMPT, from memory or asked for; owned by the caller, who frees it with key_session_wipe(). NULL: nobody
 * answers, or it has been given already while this key is opened, and so was wrong. What a token asks for the first time
 * when it signs, it asks for each signature. */
char *key_session_answer(KeySession *session, const char *prompt);
void key_session_wipe(char *answer);

/* Whether a key of the token ID was opened before, and whether this is the first token of all. From now on it counts. */
gboolean key_session_meet_token(KeySession *session, const char *id, gboolean *ret_first);

/* A key is about to be opened. */
void key_session_begin(KeySession *session);

/* What went wrong with asking since then: sets ERROR and returns TRUE, or returns FALSE. WHAT names the key. */
gboolean key_session_take_error(KeySession *session, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Through which OpenSSL asks; its user data is the session. Owned by the session. */
UI_METHOD *key_session_ui(KeySession *session);

/* From now on, OpenSSL asks through SESSION also where it is not told whom to ask. */
void key_session_take_over(KeySession *session);

/* key-file.c: a file with a secret in it, wiped when it is done with. */
typedef struct {
    guint8 *data;
    gsize size;
    int fd;
} KeyFile;

#define KEY_FILE_INIT {.fd = -1}
#define AUTO_KEY_FILE __attribute__((cleanup(key_file_clear))) KeyFile
void key_file_clear(KeyFile *file);

gboolean key_file_open(KeyFile *file, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Refuses one that others can read or write. */
gboolean key_file_check(const KeyFile *file, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean key_file_read(KeyFile *file, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* DER begins with the tag of a SEQUENCE, PEM with text. */
static inline gboolean key_file_is_der(const KeyFile *file) {
    return file->size > 0 && *file->data == 0x30;
}

/* Whether DER says that it is longer than it is. */
gboolean key_file_is_cut_off(const KeyFile *file);

/* How the passphrase of PATH is asked for; owned by the caller. */
char *key_file_prompt(const char *path);

/* A private key in PEM, DER or PKCS#12. */
EVP_PKEY *key_file_load(KeySession *session, const char *path, GError **error);

/* key-pkcs12.c: whether FILE is PKCS#12, cut off or not, and what is in it; owned by the caller. */
gboolean pkcs12_is(const KeyFile *file);
EVP_PKEY *pkcs12_get_key(KeySession *session, const KeyFile *file, const char *path, GError **error);
X509 *pkcs12_get_certificate(KeySession *session, const KeyFile *file, const char *path, GError **error);

/* certificate-file.c: a certificate in PEM, DER or PKCS#12. */
Certificate *certificate_file_load(KeySession *session, const char *path, GError **error);

/* key-token.c: keys of an engine or a provider. NAME is not NULL. */
EVP_PKEY *key_engine_load(KeySession *session, const char *name, const char *locator, GError **error);
EVP_PKEY *key_provider_load(KeySession *session, const char *name, const char *locator, GError **error);

/* Certificates of an engine or a provider; of the latter the first one, or the first that certifies WANTED. */
X509 *certificate_engine_load(KeySession *session, const char *name, const char *locator, GError **error);
X509 *certificate_provider_load(
        KeySession *session, const char *name, const char *locator, EVP_PKEY *wanted, GError **error);

/* Loads OpenSSL's provider NAME unless that has been done; says what to install when there is none. */
gboolean key_provider_available(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
