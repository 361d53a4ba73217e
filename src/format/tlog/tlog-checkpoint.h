/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a log says of itself at one time: C2SP tlog-checkpoint, the text of a note. */

#include "format/tlog/tlog-note.h"

typedef struct {
    char *origin; /* which log */
    guint64 size; /* entries */
    TlogHash root;
} TlogCheckpoint;

void tlog_checkpoint_clear(TlogCheckpoint *checkpoint);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TlogCheckpoint, tlog_checkpoint_clear)

/* The text to sign; owned by the caller. */
char *tlog_checkpoint_to_text(const TlogCheckpoint *checkpoint);

/* Reads such a text. Lines behind the third say nothing to us. */
gboolean tlog_checkpoint_parse(const char *text, TlogCheckpoint *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens the note of SIZE bytes at DATA, which VERIFIER has to have signed, as the log of that name. */
gboolean tlog_checkpoint_open(const char *data, gsize size, const TlogVerifier *verifier, TlogCheckpoint *ret,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
