/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the firmware starts: boot loader, enrolment keys, unified kernel image. */

#include "build/image-build.h"

/* Bootable=, with auto decided by whether the image has what it takes to boot. */
gboolean boot_wanted(const ImageBuild *image);

/* Loads the keys and certificates that the recipe names and that its settings need. */
gboolean boot_load_keys(Build *build, GError **error);

/* Puts the signed boot loader and the enrolment variables into the tree's /efi. */
gboolean step_boot_loader(ImageBuild *image, GError **error);

/* Puts the signed UKI into the tree's /boot (or, without boot loader, where the firmware looks) and the
 * split artifacts uki, kernel, initrd, pcrs, kernel-modules-initrd into staging. */
gboolean step_uki(ImageBuild *image, GError **error);

/* Writes CONTENT to the file NAME in staging. */
gboolean boot_write_artifact(ImageBuild *image, const char *name, GBytes *content, GError **error);
