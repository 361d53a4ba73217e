/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA-256 for hot loops: one context per thread, no allocation per digest. */

#include <glib.h>

#define SHA256_SIZE 32

typedef struct Sha256 Sha256;

/* A context for one thread. Never NULL: a process without SHA-256 cannot work and aborts. */
Sha256 *sha256_new(void);
void sha256_free(Sha256 *sha);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sha256, sha256_free)

/* DIGEST = SHA-256(PREFIX || DATA). PREFIX may be NULL if PREFIX_SIZE is 0. */
void sha256_digest(Sha256 *sha, const guint8 *prefix, gsize prefix_size, const void *data, gsize size,
        guint8 digest[SHA256_SIZE]);
