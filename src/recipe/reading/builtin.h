/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The builtin configurations: recipes of ours that other recipes refer to by name (resources/). */

#include <glib.h>

/* TRUE when NAME is that of a builtin configuration. */
gboolean is_builtin_configuration(const char *name);

/* The directory of the builtin configuration NAME; owned by the caller. */
char *builtin_configuration_path(const char *name);
