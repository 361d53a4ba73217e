/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The signer's log: a file to which leaves are appended, one line of canonical JSON each. A leaf names the
 * SHA-256 digest of the line before ("previous"; zeros in the first) and its number ("n", from 0), so that
 * nothing before it can change or go without being seen. What is not in the log was not signed. What others see of the
 * lines (signer/client/leaf.h) are the leaves of a hash tree, which is computed when the file is read. */

#include <json-glib/json-glib.h>

#include "base/sha256.h"
#include "format/tlog/tlog-tree.h"
#include "signer/client/leaf.h"

typedef struct SignerJournal SignerJournal;

/* Hears of each leaf that is there. */
typedef gboolean (*SignerJournalVisit)(gpointer user, JsonObject *leaf, GError **error);

/* Opens the log PATH, which is made when it is not there, and reads it through. A last line without its end
 * was never answered: it is cut off, and RET_REPAIRED (owned by the caller) says so; NULL otherwise. Any
 * other damage is an error that says where it is and what to do. */
SignerJournal *signer_journal_open(
        const char *path, SignerJournalVisit visit, gpointer user, char **ret_repaired, GError **error);
void signer_journal_free(SignerJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignerJournal, signer_journal_free)

/* Completes LEAF ("version", "n", "previous"), and writes it to the disk. When that fails nothing was appended; should
 * not even that be certain, all later ones fail, too. */
gboolean signer_journal_append(SignerJournal *journal, JsonObject *leaf, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How many leaves there are, and the digest of the last line; owned by the journal. */
guint64 signer_journal_get_size(const SignerJournal *journal);
const char *signer_journal_get_head(const SignerJournal *journal);

/* Hashes of the tree; the journal has to last as long. */
TlogReader signer_journal_reader(const SignerJournal *journal);

/* The line of leaf N, below the size, without its newline. */
GBytes *signer_journal_read_line(const SignerJournal *journal, guint64 n, GError **error);

/* The leaf that LINE (SIZE bytes without the newline) is, number N after the line of the digest PREVIOUS. */
JsonObject *signer_journal_parse_line(const char *line, gsize size, guint64 n, const char *previous, GError **error);
