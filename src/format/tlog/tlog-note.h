/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Texts with signatures at their end: C2SP signed-note, with Ed25519. */

#include "format/tlog/tlog-tree.h"

#define TLOG_NOTE_SIZE_MAX (64 * 1024)
#define TLOG_KEY_SIZE 32       /* bytes of a public key */
#define TLOG_SIGNATURE_SIZE 64 /* bytes */

/* Who signs: a name and a public key. */
typedef struct {
    char *name;
    guint8 key[TLOG_KEY_SIZE];
} TlogVerifier;

void tlog_verifier_clear(TlogVerifier *verifier);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TlogVerifier, tlog_verifier_clear)

/* Whether a key may be called so: not empty, without spaces, plus signs and control characters. */
gboolean tlog_is_key_name(const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* "NAME+HASH+BASE64", the text by which a key is given to others; owned by the caller. */
char *tlog_verifier_to_text(const TlogVerifier *verifier);
gboolean tlog_verifier_parse(const char *text, TlogVerifier *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What people compare: SHA-256 of the DER SubjectPublicKeyInfo in hexadecimal, as `openssl pkey -pubin -outform DER |
 * sha256sum` prints it; owned by the caller. */
char *tlog_verifier_get_fingerprint(const TlogVerifier *verifier);

/* The note of TEXT, which ends with a newline, with the one SIGNATURE over it by VERIFIER; owned by the caller. */
char *tlog_note_make(const char *text, const TlogVerifier *verifier, const guint8 signature[static TLOG_SIGNATURE_SIZE]);

/* The text of the note of SIZE bytes at DATA, once a signature of VERIFIER is good; owned by the caller. Signatures of others
 * do not count. TLOG_ERROR_MALFORMED, TLOG_ERROR_SIGNATURE. */
char *tlog_note_open(const char *data, gsize size, const TlogVerifier *verifier, GError **error);
