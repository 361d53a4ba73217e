/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that are kept as long as there is room, by the time of their last use, which is that of their modification. */

#include <glib.h>

/* Removes files whose names end in SUFFIX from the directory that is open as DIRECTORY, the one used longest ago first,
 * until they have at most LIMIT bytes and are at most MAX; none that was used in the last SPARED seconds. Returns how many
 * went. */
guint remove_oldest(int directory, const char *suffix, guint64 limit, guint max, guint spared);
