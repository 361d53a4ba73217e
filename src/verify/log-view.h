/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A published log as somebody sees who has its key: its newest checkpoint, and whether that continues older ones. */

#include "format/tlog/tlog-checkpoint.h"
#include "verify/place.h"

typedef struct LogView LogView;

/* The log of VERIFIER in PLACE, which has to last as long. Fetches and judges its checkpoint. */
LogView *log_view_new(Place *place, const TlogVerifier *verifier, GError **error);
void log_view_free(LogView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogView, log_view_free)

/* The newest checkpoint, and the note with it; owned by VIEW. */
const TlogCheckpoint *log_view_get_checkpoint(const LogView *view);
const char *log_view_get_note(const LogView *view);

/* Fails unless the log begins with what FORMER, a checkpoint of the same log, speaks of. */
gboolean log_view_check_former(LogView *view, const TlogCheckpoint *former, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads all entries, and fails unless they are what the checkpoint says. */
gboolean log_view_check_entries(LogView *view, GError **error) G_GNUC_WARN_UNUSED_RESULT;
