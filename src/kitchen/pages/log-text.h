/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pieces of a log, cut between lines. */

#include <glib.h>

/* What of a file is shown. */
typedef struct {
    GBytes *text;
    gint64 from;  /* offset of its first byte, the beginning of a line */
    gint64 end;   /* offset behind its last byte */
    gint64 total; /* size of the file */
    gint64 line;  /* number of its first line, from 1 */
} LogPiece;
void log_piece_clear(LogPiece *piece);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LogPiece, log_piece_clear)

/* Reads at most MAX bytes of the file PATH from offset FROM on (-1: its end), moved to the beginning of a line. A
 * file that is not there is empty. */
gboolean log_piece_read(
        const char *path, gint64 from, gsize max, LogPiece *ret_piece, GError **error) G_GNUC_WARN_UNUSED_RESULT;
