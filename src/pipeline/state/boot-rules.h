/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an image gets to be started with, as Format=, Bootable=, Bootloader= and UnifiedKernelImages= say
 * together. */

#include "pipeline/state/image-build.h"

/* Only a part of an operating system, laid over another one: extensions, addons, Overlay=yes. No tool that
 * completes an operating system runs in such a tree. */
gboolean boot_tree_is_partial(const ImageConfig *config);

/* Extensions, addons and portable services: they are never started by firmware on their own. */
gboolean boot_format_is_attached(OutputFormat format);

/* The format itself is a PE image with the tree as initrd, or holds one. */
gboolean boot_format_is_tree_uki(OutputFormat format);

gboolean boot_loader_is_systemd_boot(Bootloader loader);
gboolean boot_loader_is_uki(Bootloader loader);
gboolean boot_loader_is_grub(Bootloader loader);
/* The distribution's signatures are used, nothing is signed here. */
gboolean boot_loader_is_signed(Bootloader loader);

/* Files for UEFI are wanted, if the image has what they are made of. */
gboolean boot_wants_efi(const ImageConfig *config);

/* Kernels of the image become UKIs or boot entries. */
gboolean boot_wants_kernels(const ImageConfig *config);

/* UKIs come ready from the distribution. */
gboolean boot_wants_prebuilt_ukis(const ImageConfig *config);

/* The same questions once the parts are known (after step_save_boot_parts()). */
gboolean boot_wants_loader(const ImageBuild *image);
gboolean boot_wants_ukis(const ImageBuild *image);

/* Whether a disk without partition definitions gets an ESP. */
gboolean boot_wants_esp(const ImageBuild *image);
