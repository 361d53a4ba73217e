/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the firmware starts: boot loader, enrolment keys, unified kernel images. */

#include "format/efi/pe/authenticode.h"
#include "pipeline/state/image-build.h"

/* Updates of UEFI variables carry a time; firmware only wants later ones to be later. */
#define BOOT_DEFAULT_UPDATE_TIME 1577836800 /* 2020-01-01 */

/* BINARY signed for Secure Boot, or BINARY itself when the recipe does not sign; a new reference. */
GBytes *boot_sign(ImageBuild *image, GBytes *binary, AuthenticodeMode mode, GError **error);

/* Writes a file of /boot or /efi of the tree, parents included. */
gboolean boot_write(ImageBuild *image, const char *path, GBytes *content, GError **error) G_GNUC_WARN_UNUSED_RESULT;
