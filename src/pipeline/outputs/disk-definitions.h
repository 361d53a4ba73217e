/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Partition definitions of the formats that have fixed ones. */

#include "pipeline/state/image-build.h"

/* Names and contents, alternating, as DiskOptions.builtin_definitions wants them, for Format=esp, sysext,
 * confext and portable; NULL for Format=disk, whose definitions are the recipe's. Owned by the caller. */
char **disk_definitions(ImageBuild *image, GError **error);

/* Verity= of an extension or a portable service: what AUTO means depends on key and certificate. */
gboolean disk_definitions_with_verity(const Build *build, const ImageConfig *config);
