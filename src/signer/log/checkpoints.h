/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the signer says of its log to others, signed: checkpoints, and proofs that a leaf is there. The last checkpoint that was
 * given out is kept beside the log, and the signer does not start with a log that is shorter, or another one. */

#include "signer/log/journal.h"
#include "signer/policy/instance.h"

typedef struct SignerCheckpoints SignerCheckpoints;

/* PATH is the file of the last checkpoint. JOURNAL and INSTANCE have to last as long. */
SignerCheckpoints *signer_checkpoints_new(
        const char *path, SignerJournal *journal, const SignerInstance *instance, GError **error);
void signer_checkpoints_free(SignerCheckpoints *checkpoints);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignerCheckpoints, signer_checkpoints_free)

/* The checkpoint of the log as it is, on the disk by now; owned by CHECKPOINTS. */
const char *signer_checkpoints_get(SignerCheckpoints *checkpoints, GError **error);

/* A tlog-proof of leaf N, with its line as what else is known; owned by the caller. */
char *signer_checkpoints_prove(SignerCheckpoints *checkpoints, guint64 n, GError **error);
