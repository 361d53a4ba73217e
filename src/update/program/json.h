/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* JSON for programs that ask this one: what little it says does not need a library. */

#include <glib.h>

/* Appends TEXT as a JSON string; NULL is null. What is not UTF-8 becomes so. */
void json_put_string(GString *out, const char *text);

/* Append "NAME":VALUE, with a comma in front unless OUT ends with a bracket. */
void json_put_text(GString *out, const char *name, const char *text);
void json_put_number(GString *out, const char *name, gint64 number);
void json_put_boolean(GString *out, const char *name, gboolean value);
