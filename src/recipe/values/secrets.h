/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tells events/redact.h what of a value must not show in messages: passwords, credentials, values of variables that are called
 * like secrets, passwords in addresses. */

#include "recipe/language/settings.h"

/* The text that SETTING is assigned, before anybody complains about it. */
void secrets_note_setting(const Setting *setting, const char *text);

/* "NAME=VALUE" of a setting, or of a file with variables; CREDENTIAL when it is a credential. A variable without a value has
 * that of the process. */
void secrets_note_pair(const char *text, gboolean credential);

/* Whether the credential is no secret: what systemd asks at the first start, which is made of ordinary words. */
gboolean secrets_is_public_credential(const char *name);
