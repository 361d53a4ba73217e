/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* os-release(5) and files of its kind: lines of NAME=VALUE, values quoted as a shell reads them. */

#include <glib.h>

/* All assignments of TEXT, name to value without quotes; of several of one name the last counts. Comments and lines
 * that are no assignment are skipped; a value whose quotes do not match is taken as it is. Owned by the caller. */
GHashTable *os_release_parse(const char *text);

/* The value of NAME in TEXT, without quotes; owned by the caller; NULL when it is not there. */
char *os_release_get(const char *text, const char *name);

/* TEXT with NAME set to VALUE: replaced in place, or appended. Owned by the caller. */
char *os_release_set(const char *text, const char *name, const char *value);

/* Appends VALUE in double quotes. */
void os_release_append_quoted(GString *text, const char *value);
