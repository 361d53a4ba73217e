/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What must not show: secrets that somebody named, and what its form gives away (passwords in addresses, values of
 * variables that are called like secrets, PINs, credentials). Thread-safe. */

#include <glib.h>

typedef struct Secrets Secrets;

/* Nothing is named yet. */
Secrets *secrets_new(void);
void secrets_free(Secrets *secrets);

/* From now on SECRET does not show: each of its lines that is long enough to be told from ordinary words. */
void secrets_add(Secrets *secrets, const char *secret);

/* The same for the passwords of the addresses in TEXT ("https://user:password@host/"), as they stand there and
 * decoded: programs tell of them in other words. */
void secrets_add_addresses(Secrets *secrets, const char *text);

/* TEXT with "***" for secrets; owned by the caller. With SECRETS NULL, only those that their form gives away. */
char *secrets_redact(Secrets *secrets, const char *text);

/* TEXT with "***" for those that were named, and nothing else changed; owned by the caller. */
char *secrets_redact_known(Secrets *secrets, const char *text);

/* Whether a variable of this name holds a secret. */
gboolean secrets_is_name(const char *name) G_GNUC_WARN_UNUSED_RESULT;
