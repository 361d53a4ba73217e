/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files of EnvironmentFiles=. */

#include <glib.h>

/* The assignments of TEXT as "NAME=VALUE", in order. Spaces around names and values do not count, empty lines and those
 * that start with "#" are skipped, quotes mean nothing. A line of a name alone takes its value from INHERITED (an
 * environment, may be NULL); when that has none, it is "NAME". Free with g_strfreev(). */
char **environment_file_parse(const char *text, char **inherited);

/* The value of the last "NAME=VALUE" of VARIABLES; NULL when there is none. */
const char *environment_lookup(char *const *variables, const char *name);
