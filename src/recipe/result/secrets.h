/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tells ui/redact.h what of a recipe must not show in messages: passwords, credentials, values of variables
 * that are called like secrets, passwords of addresses. */

#include "recipe/result/image-config.h"
#include "recipe/language/settings.h"

/* The text that SETTING is assigned, before anybody complains about it. */
void secrets_note_setting(const Setting *setting, const char *text);

/* What an image has in the end, wherever it came from, and what is in the files that it names: passphrase,
 * credentials, variables. */
void secrets_note_image(const ImageConfig *config);
