/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every byte of a disk outside of its partitions: protective MBR, both copies of the GPT (UEFI
 * specification, chapter 5), the gaps. Firmware and kernels read one copy or the other, and some look at the
 * MBR first; so all must say the same, and nothing else may be there. */

#include <glib.h>

/* Adds to PROBLEMS (an array of strings) what is wrong with the table of the disk FD of SIZE bytes. */
void inspect_gpt_audit(int fd, guint64 size, GPtrArray *problems);

/* Whether no header of the disk FD of SIZE bytes promises a table of more than a mebibyte, which readers
 * would make room for before they look further. */
gboolean inspect_gpt_is_small(int fd, guint64 size);

/* Whether the disk FD begins with a GPT at all, sound or not. */
gboolean inspect_gpt_exists(int fd);
