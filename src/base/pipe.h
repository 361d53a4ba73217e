/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writing to whoever may have gone. */

#include <glib.h>

/* Writes all of BYTES; what nobody reads any more is an error (EPIPE) and no signal. Waits where FD does not block.
 * Returns 0 or errno. */
int pipe_write(int fd, const char *bytes, gsize length);
