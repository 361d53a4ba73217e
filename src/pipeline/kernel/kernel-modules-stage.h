/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The modules that a kernel modules initrd holds, copied to where depmod can index them. */

#include "pipeline/kernel/kernel-modules.h"

/* Like kernel_modules_paths(), but copies to the empty directory TARGET_FD, for a depmod run there before it
 * is archived: needed whenever SET is not everything, else modprobe finds modules that are not there. */
gboolean kernel_modules_stage(
        int root_fd, const char *version, const KernelModuleSet *set, int target_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
