/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How text for people is emphasised. Whoever composes text gets a style handed in; only the program knows whether the
 * text goes to a terminal that has colours. */

typedef struct {
    /* What begins each, and what ends all of them: an escape sequence, or "". Never NULL. */
    const char *red, *green, *yellow, *blue, *bold, *dim, *reset;
} TextStyle;
