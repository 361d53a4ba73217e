/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lines of a log that somebody looks for. */

#include "kitchen/pages/log-text.h"

typedef struct {
    const char *text; /* not ended by a zero; of the piece */
    gsize length;
    gint64 offset; /* of the line in the file */
    gint64 number; /* of the line, from 1 */
} LogMatch;

/* The lines of PIECE that have WORDS in them, where capital letters of ASCII are like small ones: an array of LogMatch, at
 * most MAX. RET_END receives the offset behind the last line that was looked at. */
GArray *log_matches(const LogPiece *piece, const char *words, guint max, gint64 *ret_end);
