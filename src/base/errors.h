/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From errno to GError. */

#include <glib.h>

/* Sets ERROR, in the domain G_FILE_ERROR, to the formatted text, a colon and what the errno NUMBER means: "Cannot
 * open /x: No such file or directory". Returns FALSE, so that callers can return it. */
gboolean set_errno_error(GError **error, int number, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Around a call whose failure changes nothing for the caller, or which the caller sees by the error. */
static inline void ignore_failure(gboolean done) {
    (void) done;
}
