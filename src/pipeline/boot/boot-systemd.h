/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a recipe asks of the systemd in its image that this systemd does not know yet. The build succeeds, the first
 * boot does not, and says nothing of the reason: so the build says it. */

#include "pipeline/state/image-build.h"

/* Whether the image is started by a systemd whose version is known. */
gboolean wants_boot_systemd(const ImageBuild *image);

/* Warns of words on the command lines and of files in /usr/lib/repart.d. */
gboolean step_boot_systemd(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What systemd VERSION makes of WORD on the command line and what to do instead; NULL when it knows the word.
 * Owned by the caller. */
char *boot_systemd_judge_word(const char *word, const char *version);

/* What systemd-repart of VERSION makes of a partition definition when a machine boots, and what to do instead; NULL
 * when it can use it. Borrowed. */
const char *boot_systemd_judge_definition(const char *text, const char *version);
