/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that prove without a network that an entry is in a log: C2SP tlog-proof@v1. */

#include "format/tlog/tlog-checkpoint.h"

#define TLOG_PROOF_SIZE_MAX (256 * 1024)

typedef struct {
    guint64 index;
    GArray *path;     /* of TlogHash */
    GBytes *extra;    /* what else is known of the entry, and proved by nothing; or NULL */
    char *checkpoint; /* a note */
} TlogProof;

void tlog_proof_clear(TlogProof *proof);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TlogProof, tlog_proof_clear)

/* The text of such a file; owned by the caller. */
char *tlog_proof_to_text(const TlogProof *proof);

/* Reads SIZE bytes at DATA; what it says is not judged. */
gboolean tlog_proof_parse(const char *data, gsize size, TlogProof *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether PROOF shows that ENTRY of SIZE bytes is in the log of VERIFIER. RET receives the log's checkpoint. */
gboolean tlog_proof_check(const TlogProof *proof, const void *entry, gsize size, const TlogVerifier *verifier,
        TlogCheckpoint *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
