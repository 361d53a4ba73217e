/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whole reads and writes: interrupted and partial ones are continued. */

#include <glib.h>

/* Writes SIZE bytes of DATA at OFFSET of FD. */
gboolean pwrite_all(int fd, const void *data, gsize size, guint64 offset, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads exactly SIZE bytes; the end of the file before that is G_FILE_ERROR_IO. */
gboolean pread_all(int fd, void *data, gsize size, guint64 offset, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads SIZE bytes at OFFSET of FD, or as many as there are up to the end of the file. Returns how many, or -1 with
 * errno. For callers with words of their own for a failure. */
gssize pread_up_to(int fd, void *data, gsize size, guint64 offset);

/* Writes SIZE bytes of DATA where FD stands. Returns FALSE with errno. */
gboolean write_all(int fd, const void *data, gsize size);
