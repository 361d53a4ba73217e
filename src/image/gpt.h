/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The partition table, through libfdisk. */

#include <glib.h>

#include "image/partition-plan.h"

/* Writes protective MBR, GPT and its backup for the laid out PLAN into the file PATH, which has its final
 * size. */
gboolean gpt_write(const Plan *plan, const char *path, GError **error);
