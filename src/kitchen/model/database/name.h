/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names that people choose: users, namespaces, projects, targets, channels. They stand in URLs, file names and
 * signed texts. */

#include <glib.h>

/* Sets ERROR and returns FALSE unless NAME is 1 to 39 characters of a-z, 0-9 and "-", without one at the
 * beginning or the end. WHAT ("namespace") says what the name is for. */
gboolean name_check(const char *what, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for namespaces, which also must not be the first word of another page's address. */
gboolean name_check_namespace(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
