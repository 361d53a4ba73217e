/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an image is started with: kernels, stub, boot loaders, shim, microcode. They are read into memory
 * before files are removed from the tree. */

#include "pipeline/state/image-build.h"

/* A kernel of the image. */
typedef struct {
    char *version;
    GBytes *image; /* the kernel, or the distribution's own UKI (boot_wants_prebuilt_ukis()) */
} BootKernel;

/* A program of the boot partition. */
typedef struct {
    char *name; /* on the boot partition, without directory: "systemd-bootx64.efi" */
    GBytes *content;
    gboolean is_signed; /* by the distribution: it stays as it is */
} BootFile;

/* For arrays. */
void boot_kernel_free(gpointer kernel);
void boot_file_free(gpointer file);

/* Whether the PE image BYTES is a UKI that can be started (and no addon). */
gboolean boot_is_uki(GBytes *bytes);

/* The newest kernel that the tree has now, or NULL without error: removed, or never there. */
BootKernel *boot_newest_kernel(ImageBuild *image, GError **error);

/* Reads all parts that the format and the settings of IMAGE can need. */
gboolean step_save_boot_parts(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
