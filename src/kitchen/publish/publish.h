/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What devices update from: NAMESPACE/PROJECT/TARGET/CHANNEL is a link to .sets/DIGEST beside it, a directory of hard links
 * to objects with SHA256SUMS and its signature. A set is called by the digest of its SHA256SUMS, so that making it again
 * changes nothing; a channel goes from one set to the next by a rename. CHANNEL has what all devices get. CHANNEL/b/00 to
 * CHANNEL/b/99 (links to .buckets/CHANNEL/NN) have what each hundredth of them gets, so that devices which know their
 * hundredth take part in rollouts, and others wait for their end. */

#include "kitchen/publish/log-mirror.h"
#include "kitchen/store/store.h"

typedef struct Publisher Publisher;

/* Publishes below DIRECTORY, which is on the file system of STORE. STORE and SIGNER have to outlive it. Safe for several
 * threads, each with another target. */
Publisher *publisher_new(const char *directory, Store *store, SignService *signer);
void publisher_free(Publisher *publisher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Publisher, publisher_free)

/* Who signs; borrowed. */
SignService *publisher_signer(Publisher *publisher);

/* From now on the signer's log is published, too: LOG, which has to outlive the publisher. Each set gets the proof of its
 * manifest (SHA256SUMS.tlog-proof) with the key of the log (SHA256SUMS.log-key), and no channel is switched to a set whose proof is not in the published log. */
void publisher_set_log(Publisher *publisher, LogMirror *log);

/* Shows what the signer has logged until now; nothing is done without a log. Blocks. */
gboolean publisher_publish_log(Publisher *publisher, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    char *name;   /* "TARGET.CHANNEL.NAME" */
    char *digest; /* of its object */
} PublishFile;

PublishFile *publish_file_new(const char *name, const char *digest);
void publish_file_free(PublishFile *file);

typedef struct {
    const char *space, *project, *target, *channel, *version;
    GPtrArray *files;        /* of PublishFile: those of the release */
    GPtrArray *former;       /* of PublishFile: those of the release before, for who is loading them; may be NULL */
    const char *best_before; /* "YYYY-MM-DD"; NULL: for ever */
    gboolean is_private;     /* the log shows a digest alone */
    GPtrArray *approvals;    /* of PublishApproval; NULL: none */
} PublishSet;

/* What somebody signed for a set (signer/client/protocol.h, "approvals"). */
typedef struct {
    char *not_after, *signature;
} PublishApproval;

PublishApproval *publish_approval_new(const char *not_after, const char *signature);
void publish_approval_free(PublishApproval *approval);

/* "TARGET.CHANNEL.NAME": a file that is published. Owned by the caller. */
char *publish_name(const char *target, const char *channel, const char *name);

/* The name by which the file is found in every release: with "latest" in place of VERSION; NULL when it has no version.
 * Owned by the caller. */
char *publish_latest_name(const char *name, const char *version);

/* Has SHA256SUMS signed and makes the set. RET_DIGEST is that of the set, owned by the caller. Repeating is harmless.
 * Blocks. */
gboolean publisher_prepare(
        Publisher *publisher, const PublishSet *set, char **ret_digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Where a channel of a target is. */
typedef struct {
    const char *space, *project, *target, *channel;
} PublishPlace;

/* Lets the channel and its hundredths point to the sets, which were prepared, that OFFERS (of RolloutOffer, publish/rollout.h)
 * give them. Repeating is harmless; what points there already is not touched. */
gboolean publisher_switch(
        Publisher *publisher, const PublishPlace *place, GPtrArray *offers, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The set that the channel points to; NULL when it points to none. Owned by the caller. */
char *publisher_current(
        Publisher *publisher, const char *space, const char *project, const char *target, const char *channel);

/* Whether the set DIGEST, which was prepared for SET, is good for as long as SET says. */
gboolean publisher_is_fresh(
        Publisher *publisher, const PublishSet *set, const char *digest) G_GNUC_WARN_UNUSED_RESULT;

/* Removes the sets of a target, but for those whose digests are in KEPT (a set of strings), and those that a channel points
 * to. */
gboolean publisher_prune(Publisher *publisher, const char *space, const char *project, const char *target,
        GHashTable *kept, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The fault layer of tests, as that of the store. */
void publisher_set_fault(Publisher *publisher, StoreFault fault, gpointer user);
