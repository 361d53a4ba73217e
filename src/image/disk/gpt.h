/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The partition table, through libfdisk. */

#include <glib.h>

#include "image/plan/partition-plan.h"

/* Writes protective MBR, GPT and its backup for the laid out PLAN into the file PATH, which has its final
 * size. */
gboolean gpt_write(const Plan *plan, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Moves the backup of the partition table to the end of the device or file PATH, which is larger than what
 * was written to it, and lets the table use the room. RET_MOVED is FALSE when there is no GPT. */
gboolean gpt_move_backup(const char *path, gboolean *ret_moved, GError **error) G_GNUC_WARN_UNUSED_RESULT;
