/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the firmware starts: boot loader, enrolment keys, unified kernel images. */

#include "format/authenticode.h"
#include "pipeline/state/image-build.h"

/* Updates of UEFI variables carry a time; firmware only wants later ones to be later. */
#define BOOT_DEFAULT_UPDATE_TIME 1577836800 /* 2020-01-01 */

/* Loads the keys and certificates that the recipe names and that its settings need. */
gboolean boot_load_keys(Build *build, GError **error);

/* SecureBootKey= and SecureBootCertificate=, which have to be there and to belong together. */
gboolean boot_load_secure_boot_pair(KeySession *session, const ImageConfig *config, KeySource **ret_key,
        Certificate **ret_certificate, GError **error);

/* BINARY signed for Secure Boot, or BINARY itself when the recipe does not sign; a new reference. */
GBytes *boot_sign(ImageBuild *image, GBytes *binary, AuthenticodeMode mode, GError **error);

/* What is enrolled in the firmware's VARIABLE ("PK", "KEK", "db"): the certificate that signs, and after it those of
 * the recipe's mkosi.uefi.VARIABLE/. */
GPtrArray *boot_enrolled_certificates(ImageBuild *image, const char *variable, GError **error);

/* Where the firmware looks for a program when nothing else is set up, and what shim starts: paths in the
 * tree, owned by the caller. */
char *boot_first_stage_path(const ImageBuild *image);
char *boot_second_stage_path(const ImageBuild *image);

/* Writes a file of /boot or /efi of the tree, parents included. */
gboolean boot_write(ImageBuild *image, const char *path, GBytes *content, GError **error);

/* Writes CONTENT to the file NAME in staging. */
gboolean boot_write_artifact(ImageBuild *image, const char *name, GBytes *content, GError **error);
/* The same with the name of the output and SUFFIX. */
gboolean boot_write_output(ImageBuild *image, const char *suffix, GBytes *content, GError **error);

/* The main output, for formats that are one file made in memory. */
gboolean boot_write_main(ImageBuild *image, GBytes *content, GError **error);

/* Puts the signed boot loader, shim and the enrolment variables into the tree's /efi. */
gboolean step_boot_loader(ImageBuild *image, GError **error);

/* Puts a signed UKI for each kernel into the tree's /boot (or, without boot loader, one where the firmware
 * looks), or boot entries where UKIs are not wanted; and the split artifacts uki, kernel, initrd, pcrs,
 * kernel-modules-initrd into staging. */
gboolean step_install_kernels(ImageBuild *image, GError **error);
