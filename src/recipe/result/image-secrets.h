/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tells events/redact.h what of an image must not show in messages. Internal to the room. */

#include "recipe/result/image-config.h"

/* What an image has in the end, wherever it came from, and what is in the files that it names: passphrase, credentials,
 * variables. */
void secrets_note_image(const ImageConfig *config);
