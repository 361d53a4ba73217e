/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Questions to whoever sits at the terminal. */

#include <glib.h>

/* Asks PROMPT on the terminal of the process, whatever its standard streams are, and reads a line that is not shown.
 * Owned by the caller, who wipes it. An error where there is no terminal, or the line does not come. Live lines of
 * steps are hidden meanwhile. */
char *ui_ask_secret(const char *prompt, GError **error);
