/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Passwords of local accounts: yescrypt, by libcrypt. */

#include <glib.h>

#define PASSWORD_MIN 10
#define PASSWORD_MAX 256

/* What the database keeps of PASSWORD; owned by the caller. Passwords that are shorter than PASSWORD_MIN or
 * longer than PASSWORD_MAX bytes are refused. */
char *password_hash(const char *password, GError **error);

/* TRUE when PASSWORD is the one of HASH. HASH may be NULL, for somebody who has none or does not exist: the
 * answer is FALSE and takes as long. */
gboolean password_matches(const char *hash, const char *password) G_GNUC_WARN_UNUSED_RESULT;
