/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which variables of the caller reach a program of the reading. What a build server counts
 * (BUILD_NUMBER=512, SUFFIX=rc1) becomes part of versions; what opens doors stays outside. */

#include <glib.h>

/* The variables of ENVIRONMENT ("NAME=VALUE", NULL-terminated) that a script with
 * TEXT gets: those that it names, if they are short words and are not called like a secret. RET_WITHHELD are
 * the names of those that it names and does not get; both are NULL-terminated and owned by the caller. */
char **reading_environment(const char *text, char *const *environment, char ***ret_withheld);
