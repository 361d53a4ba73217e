/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whole reads and writes at a position: interrupted and partial ones are continued. */

#include <gio/gio.h>

/* Writes SIZE bytes of DATA at OFFSET of FD. */
gboolean pwrite_all(int fd, const void *data, gsize size, guint64 offset, GError **error);

/* Reads exactly SIZE bytes; the end of the file before that is G_IO_ERROR_PARTIAL_INPUT. */
gboolean pread_all(int fd, void *data, gsize size, guint64 offset, GError **error);
