/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Paths in recipes. All are resolved against a directory that is given, never against that of the process.
 */

#include <glib.h>

/* PATH made absolute against DIRECTORY, without "." and repeated slashes; symbolic links stay. */
char *path_absolute(const char *directory, const char *path);

/* PATH without "." and repeated or trailing slashes, relative if it was; "." when nothing is left. */
char *path_clean(const char *path);

/* PATH made absolute against DIRECTORY with all symbolic links resolved, as far as the path exists. */
char *path_resolve(const char *directory, const char *path);

/* PATH with $NAME and ${NAME} replaced from the process environment; unknown ones stay. */
char *path_expand_variables(const char *path);

/* PATH with a leading ~ or ~USER replaced; NULL with ERROR set when there is no such user. */
char *path_expand_home(const char *path, GError **error);

/* The paths below DIRECTORY that match PATTERN (a glob or a plain path), sorted; not resolved. */
char **path_glob(const char *directory, const char *pattern);

/* How PATH is shown to people: relative to the directory the program was started in, if it is below. */
char *path_for_people(const char *path);
