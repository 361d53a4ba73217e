/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Secrets that people and programs carry (sessions, tokens, links), and those that the service keeps for
 * others. The former are in the database as digests, the latter sealed with a key that is not in it. */

#include <glib.h>

/* PREFIX and 256 random bits as text that fits into a URL, a cookie and a header; owned by the caller. */
char *secret_make(const char *prefix);

/* What the database keeps of SECRET: SHA-256, hexadecimal; owned by the caller. Secrets of secret_make() need
 * no salt. */
char *secret_hash(const char *secret);

/* TRUE when A and B (either may be NULL, which equals nothing) are the same text. The time does not depend on
 * where they differ. */
gboolean secret_equal(const char *a, const char *b) G_GNUC_WARN_UNUSED_RESULT;

/* Overwrites and frees TEXT. */
void secret_wipe(char *text);

/* Seals what others entrust to the service: AES-256-GCM with a key file. */
typedef struct SecretBox SecretBox;

/* Takes the key of PATH: 32 bytes. When it is not there, one is made (mode 0600). */
SecretBox *secret_box_open(const char *path, GError **error);
void secret_box_free(SecretBox *box);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SecretBox, secret_box_free)

/* SECRET sealed for PLACE: what was sealed for one place opens at no other. Owned by the caller. */
GBytes *secret_box_seal(const SecretBox *box, const char *place, const char *secret, GError **error);

/* The text that was sealed for PLACE; the caller wipes it. */
char *secret_box_open_sealed(const SecretBox *box, const char *place, GBytes *sealed, GError **error);
