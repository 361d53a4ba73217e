/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values as partition definitions write them (repart.d(5), and systemd.syntax(7) behind it): booleans, numbers, sizes.
 * Those of recipes have a grammar of their own (recipe-values.h). */

#include <glib.h>

/* TRUE when VALUE is a boolean: 1 yes y true t on, or 0 no n false f off, in letters of either case. */
gboolean repart_boolean_parse(const char *value, gboolean *ret);

/* A whole number: decimal, 0x, 0o, 0b, or octal behind a leading 0, with a sign. FALSE: it is none, or not
 * between MINIMUM and MAXIMUM. */
gboolean repart_signed_parse(const char *text, gint64 minimum, gint64 maximum, gint64 *ret);
gboolean repart_unsigned_parse(const char *text, guint64 maximum, guint64 *ret);

/* A size: numbers to the base of 1024, each smaller in unit than the one before ("1.5G", "1G512M", "512B"). */
gboolean repart_size_parse(const char *value, guint64 *ret);
