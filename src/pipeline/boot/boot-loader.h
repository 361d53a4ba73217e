/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* systemd-boot or shim on the ESP, and the variables that enrol Secure Boot keys in the firmware. */

#include "pipeline/state/image-build.h"

/* What is enrolled in the firmware's VARIABLE ("PK", "KEK", "db"): the certificate that signs, and after it those of
 * the recipe's mkosi.uefi.VARIABLE/. */
GPtrArray *boot_enrolled_certificates(ImageBuild *image, const char *variable, GError **error);

/* Where the firmware looks for a program when nothing else is set up, and what shim starts: paths in the
 * tree, owned by the caller. */
char *boot_first_stage_path(const ImageBuild *image);
char *boot_second_stage_path(const ImageBuild *image);

/* Puts the signed boot loader, shim and the enrolment variables into the tree's /efi. */
gboolean step_boot_loader(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
