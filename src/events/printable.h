/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What other programs say, made fit for a message: whatever they write, one screen is enough, and no byte of
 * it does anything to the terminal. */

#include <glib.h>

/* How many lines can matter to printable_tail(). */
#define PRINTABLE_LINES 20

/* LINE as valid UTF-8 without control characters and escape sequences; where it is too long, its beginning
 * and its end, without secrets (redact.h), because what is cut through is not found later. Owned by the
 * caller. */
char *printable_line(const char *line);

/* The last of COUNT lines, each after "\n  ", as many as fit on a screen of 80 columns together with a few
 * more lines; empty ones at the end are left out. Owned by the caller; "" for none. */
char *printable_lines(const char *const *lines, guint count);

/* The same for the LENGTH bytes of TEXT, which may be binary. */
char *printable_tail(const char *text, gsize length);
