/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which kernel a machine starts without a boot loader, and what firmware it needs for that. */

#include <glib.h>

#include "recipe/result/image-config.h"

typedef struct {
    char *kernel;      /* NULL: the firmware boots the disk */
    char *initrd;      /* NULL: none, or inside of the kernel */
    gboolean uki;      /* the kernel is a unified kernel image */
    Firmware firmware; /* never FIRMWARE_AUTO */
} VmDirectBoot;

/* Decides from Linux=, Firmware=, Format= and the outputs of CONFIG, and from the arguments for QEMU, which
 * may bring a kernel of their own. Initial RAM disks of Initrds= are joined in the directory SCRATCH. The
 * error names the file that is missing. */
VmDirectBoot *vm_direct_boot_new(
        const ImageConfig *config, char *const *qemu_arguments, const char *scratch, GError **error);
void vm_direct_boot_free(VmDirectBoot *boot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmDirectBoot, vm_direct_boot_free)

/* OUTPUT_DIRECTORY/OUTPUT and SUFFIX; owned by the caller. */
char *vm_output_path(const ImageConfig *config, const char *suffix);

/* Path of the main output; owned by the caller. */
char *vm_image_path(const ImageConfig *config);

/* The kernel argument that names the root or /usr volume of the disk IMAGE for a kernel that no boot loader
 * started: roothash=, usrhash=, root= or mount.usr= (systemd-gpt-auto-generator(8) does not work then). NULL
 * with ERROR set when there is none; owned by the caller. */
char *vm_root_argument(const char *image, GError **error);
