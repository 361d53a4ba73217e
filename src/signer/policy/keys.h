/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The keys of projects, by any source of keys, opened when they are needed. Paths in a policy are relative
 * to DIRECTORY/NAMESPACE/PROJECT. Safe for several threads. */

#include "crypto/certificates/certificate.h"
#include "crypto/keys/key-session.h"
#include "signer/policy/policy.h"

typedef struct SignerKeys SignerKeys;

/* SESSION, borrowed, opens the keys and knows PINs. */
SignerKeys *signer_keys_new(const char *directory, KeySession *session);
void signer_keys_free(SignerKeys *keys);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignerKeys, signer_keys_free)

/* A key that is open, and its certificate. */
typedef struct {
    KeySource *key;
    Certificate *certificate;
} SignerPair;

void signer_pair_clear(SignerPair *pair);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignerPair, signer_pair_clear)

/* The key of PROJECT for PURPOSE. Refused, besides what key_session_open() refuses: a certificate of another
 * key, and a key whose signatures are not all of one size and always the same. */
gboolean signer_keys_open(SignerKeys *keys, const SignerPolicy *policy, const char *project, SignerPurpose purpose,
        SignerPair *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Its certificate alone. */
Certificate *signer_keys_open_certificate(
        SignerKeys *keys, const SignerPolicy *policy, const char *project, SignerPurpose purpose, GError **error);

/* The certificates in the files PATHS (of char *) of PROJECT: an array of Certificate. */
GPtrArray *signer_keys_load_certificates(SignerKeys *keys, const char *project, GPtrArray *paths, GError **error);

/* Makes the keys of PROJECT, one for each purpose, or with SHARE for those that are not the same as others;
 * files that are NAMES.key and NAMES.crt. What was made completely before stays. */
gboolean signer_keys_create(
        SignerKeys *keys, const char *project, gboolean share, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The purpose whose key is also for PURPOSE where keys are shared; -1: it has one of its own. */
int signer_keys_shared_with(SignerPurpose purpose);

/* Refuses private keys in files that others may read or write. */
gboolean signer_keys_check_files(
        SignerKeys *keys, const SignerPolicy *policy, const char *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;
