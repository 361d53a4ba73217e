/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a verb prints is its result: that it could not be written is a failure like any other. */

#include <glib.h>

/* Gives numbers 0 to 2 to something where the caller closed them, so that no file that is opened later
 * gets what is meant for people; what is printed to a closed standard output fails. Then watches what is
 * written to standard output. To be called first of all. */
void standard_output_watch(void);

/* Writes what is still buffered. FALSE when anything that was printed since the start did not arrive; the
 * reason is that of the first failure. */
gboolean standard_output_finish(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE when ERROR says that nobody reads any more (EPIPE): no reason to tell people. */
gboolean standard_output_is_gone(const GError *error);
