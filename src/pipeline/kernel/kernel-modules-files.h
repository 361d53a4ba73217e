/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which files of a tree belong to a set of kernel modules. */

#include "pipeline/kernel/kernel-modules.h"

/* Removes from ROOT_FD the modules of kernel VERSION and the firmware that SET does not hold (processor
 * microcode stays), then directories that became empty. The caller runs depmod afterwards. */
gboolean kernel_modules_prune(int root_fd, const char *version, const KernelModuleSet *set, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Every path, sorted and with its parent directories, that a kernel modules initrd holds: SET, modules.* and
 * vdso of the kernel. What cpio_writer_add_paths() takes. */
GPtrArray *kernel_modules_paths(int root_fd, const char *version, const KernelModuleSet *set, GError **error);
