/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Headers of encrypted volumes (LUKS2 On-Disk Format Specification). */

#include <glib.h>

/* Whether the SIZE bytes from OFFSET of FD on are an encrypted volume: a LUKS2 header that is whole, and
 * whose data is encrypted with a cipher. What is inside cannot be judged without its key. */
gboolean inspect_luks_check(int fd, guint64 offset, guint64 size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
