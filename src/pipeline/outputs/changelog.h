/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ManifestFormat=changelog: for people, the packages of an image grouped by source package, each with its
 * changelog as the image's documentation has it. Two such reports compared show what changed in between. */

#include "pipeline/state/image-build.h"

/* The report on image->installed; owned by the caller. */
char *changelog_text(ImageBuild *image);
