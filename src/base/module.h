/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Parts of the program whose libraries cost time at each start and that few starts need: shared objects beside the program's
 * other parts, loaded when they are needed. */

#include <glib.h>

/* What SYMBOL is in the module NAME: the table of its functions. $PARTICLEOS_MODULES names another directory to look in.
 * NULL with ERROR (G_FILE_ERROR) set when it cannot be loaded. */
gconstpointer module_load(const char *name, const char *symbol, GError **error);
