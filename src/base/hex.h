/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Hexadecimal text. */

#include <glib.h>

/* Lower-case hexadecimal text of SIZE bytes; owned by the caller. */
char *hex_encode(const void *data, gsize size);

/* The bytes that TEXT (LENGTH characters, -1: up to its NUL) spells in hexadecimal of either case. NULL when
 * it is not hexadecimal or has an odd length. */
GBytes *hex_decode(const char *text, gssize length);

/* TRUE when TEXT is LENGTH lower-case hexadecimal digits and nothing else. */
gboolean hex_is_lower(const char *text, gsize length);
