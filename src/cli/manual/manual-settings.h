/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* SOURCE is the page of the settings as written by hand: an introduction, "## SETTINGS" with a definition
 * per setting in any order, "## SEE ALSO". Returns the page by sections, in the order of the table, with the
 * facts that the table has; owned by the caller. NULL with ERROR set when a setting is not explained. */
char *manual_complete_settings(const char *source, GError **error);

/* The part about one setting; NULL if there is none of that name. */
char *manual_explain_setting(const char *source, const char *name);
