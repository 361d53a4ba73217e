/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A tree as tar archive, written deterministically: entries sorted by name, owners as numbers, times in
 * whole seconds and clamped. */

#include <glib.h>

#include "format/compress/compressor.h"

/* Writes the tree TREE_FD to COMPRESSOR, which is not ended: names begin with "./"; directories, files,
 * links, devices and fifos (sockets are left out) with owners, modes, hard links, ACLs and extended
 * attributes. Times later than CLAMP_TIME (seconds; -1: none) become that. Directories stay empty whose
 * content belongs to a running system (/dev, /proc, /sys, /run, /tmp, /var/tmp). */
gboolean tar_write_tree(int tree_fd, Compressor *compressor, gint64 clamp_time, GError **error) G_GNUC_WARN_UNUSED_RESULT;
