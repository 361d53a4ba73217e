/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values as recipes write them (mkosi's grammar): booleans, numbers, sizes. Those of repart.d have a grammar of their
 * own (repart-values.h). */

#include <glib.h>

/* TRUE when TEXT is a boolean: 1 true yes y t on always, or 0 false no n f off never, in letters of either case. */
gboolean recipe_boolean_parse(const char *text, gboolean *ret);

/* TRUE when TEXT is an integer to BASE, maybe with spaces around it; to base 8 it may start with "0o". */
gboolean recipe_integer_parse(const char *text, int base, gint64 *ret);

typedef enum {
    RECIPE_SIZE_GOOD,
    RECIPE_SIZE_NOT_A_NUMBER,
    RECIPE_SIZE_OUT_OF_RANGE, /* 0 or less, 8 EiB or more */
} RecipeSize;

/* Bytes that TEXT means: a decimal number with an optional fraction and exponent, and an optional K, M or G; rounded up
 * to whole blocks of 4096 bytes. */
RecipeSize recipe_size_parse(const char *text, gint64 *ret);
