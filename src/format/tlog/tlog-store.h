/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A directory with a log as C2SP tlog-tiles serves it: tile/…, tile/entries/…, checkpoint. Files are written beside and
 * renamed, and the checkpoint last: whoever is killed in between leaves the log of before. */

#include "format/tlog/tlog-checkpoint.h"
#include "format/tlog/tlog-tile.h"

typedef struct TlogStore TlogStore;

/* Opens the log of VERIFIER in DIRECTORY, which may be empty or not there. Tiles that are missing or damaged are made anew from
 * the entries; TLOG_ERROR_DAMAGED: these are not what the checkpoint says. One process at a time. */
TlogStore *tlog_store_open(const char *directory, const TlogVerifier *verifier, GError **error);
void tlog_store_free(TlogStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlogStore, tlog_store_free)

/* Entries that are there, with those that were added since. */
guint64 tlog_store_get_size(const TlogStore *store);

/* Reads hashes of the log. */
TlogReader tlog_store_reader(const TlogStore *store);

/* Adds an entry of at most TLOG_ENTRY_SIZE_MAX bytes, which nobody sees yet. */
gboolean tlog_store_add(TlogStore *store, const void *entry, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Shows what was added: CHECKPOINT is a note over just these entries, or TLOG_ERROR_DAMAGED. */
gboolean tlog_store_publish(TlogStore *store, const char *checkpoint, GError **error) G_GNUC_WARN_UNUSED_RESULT;
