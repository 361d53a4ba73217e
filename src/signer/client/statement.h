/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What people sign to approve a release: a text that signer and client write each by themselves, from what they know. */

#include <glib.h>

/* The purpose (namespace of ssh-keygen -Y) of such signatures. */
#define SIGNER_STATEMENT_PURPOSE "particleos-release"

typedef struct {
    const char *instance;  /* SHA-256 of the certificate of the project's key for manifests, in hexadecimal */
    const char *project;   /* "NAMESPACE/PROJECT" */
    const char *target, *channel, *version;
    const char *entries;   /* SHA-256 of what the manifest lists, but for its last day, in hexadecimal */
    const char *previous;  /* the highest version below that a manifest of the channel was signed for; NULL: none */
    const char *not_after; /* "20261207000000": it counts until then */
} SignerStatement;

/* The text; owned by the caller. */
char *signer_statement_to_text(const SignerStatement *statement);

/* SHA-256 of the lines "DIGEST *NAME" of a manifest, in hexadecimal. N pairs of a digest and a name in PAIRS. Owned by the
 * caller. */
char *signer_statement_digest(const char *const *pairs, gsize n);
