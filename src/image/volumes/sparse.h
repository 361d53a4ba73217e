/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Copying files that are mostly holes. */

#include <gio/gio.h>

/* Copies the data of SOURCE_FD (from its start) to OFFSET of TARGET_FD and leaves out the holes: what is
 * there must read as zeros in the target. Shares blocks where the file system can. */
gboolean sparse_copy(int source_fd, int target_fd, guint64 offset, GError **error) G_GNUC_WARN_UNUSED_RESULT;
