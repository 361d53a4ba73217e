/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Programs that ask people for secrets in a window or on a terminal: pinentry of GnuPG and its like. */

#include <glib.h>

/* Has PROGRAM ask QUESTION over the Assuan protocol. Owned by the caller, who wipes it. An error where the program is
 * missing, does not speak the protocol, or whoever was asked said no. */
char *pinentry_ask(const char *program, const char *question, GError **error);
