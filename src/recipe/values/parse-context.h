/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the text of a value stands. */

#include <glib.h>

typedef struct {
    const char *directory; /* what relative paths are relative to; absolute */
    gboolean cli;          /* an option: fewer words, and nothing after '#' */
} ParseContext;
