/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a file system says about the partition that it belongs to (systemd-validatefs@.service(8)): the
 * partition table is not authenticated, but the file system in it is, so that it can tell when it is
 * presented as something else. */

#include <glib.h>

#include "image/plan/partition-plan.h"

/* Extended attributes of the root directory, name to GBytes; NULL when the definition does not want them. */
GHashTable *validatefs_attributes(const PlannedPartition *partition);
