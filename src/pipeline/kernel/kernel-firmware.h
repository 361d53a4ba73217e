/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Firmware files of a tree (usr/lib/firmware): finding those that modules name, and the symbolic links on
 * the way to them. */

#include <glib.h>

typedef struct KernelFirmware KernelFirmware;

/* Lists the firmware of ROOT_FD (borrowed); none of it is wanted yet. */
KernelFirmware *kernel_firmware_new(int root_fd, GError **error);
void kernel_firmware_free(KernelFirmware *firmware);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KernelFirmware, kernel_firmware_free)

/* Whether the tree has no firmware (but maybe processor microcode). */
gboolean kernel_firmware_is_empty(const KernelFirmware *firmware);

/* Wants NAME as modinfo prints it, maybe with wildcards; the file may have a suffix (.xz). What the tree
 * does not have is ignored, as drivers do. */
void kernel_firmware_add(KernelFirmware *firmware, const char *name);

/* Applies FirmwareFiles= and FirmwareExclude= (NULL-terminated, may be NULL): drops what was added and is
 * excluded, then adds what is included. */
gboolean kernel_firmware_filter(
        KernelFirmware *firmware, const char *const *include, const char *const *exclude, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The wanted files and every link that leads to them, relative to the root, sorted; an array of char *. */
GPtrArray *kernel_firmware_get_paths(const KernelFirmware *firmware);
