/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The secrets (secrets.h) of the task that the thread works for (task.h): those that it was told, and those that their
 * form gives away. All events pass through them anyway; these functions are for texts that go other ways, or that are
 * about to be cut or quoted. Without a task nothing is remembered. */

#include <glib.h>

/* From now on SECRET does not show: each of its lines that is long enough to be told from ordinary words. */
void redact_secret(const char *secret);

/* The same for the passwords of the addresses in TEXT ("https://user:password@host/"), as they stand there
 * and decoded: programs tell of them in other words. */
void redact_addresses(const char *text);

/* Whether a variable of this name holds a secret. */
gboolean redact_is_secret_name(const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* TEXT with "***" for secrets; owned by the caller. */
char *redact_text(const char *text);

/* TEXT with "***" for secrets that are known, and nothing else changed; owned by the caller. For words of
 * others, where a form gives nothing away: who prints a variable that is called like a secret means it. */
char *redact_known(const char *text);

/* The same as redact_text() for one argument of a command, before it is quoted: where it is "NAME=VALUE" and NAME is a
 * secret's, all of VALUE goes. */
char *redact_argument(const char *argument);
