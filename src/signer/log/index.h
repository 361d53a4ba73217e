/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the log says, for quick answers. Made from the leaves alone, at start and with each new one, so that
 * what the signer remembers is what it has written. PROJECT is "NAMESPACE/PROJECT". */

#include <json-glib/json-glib.h>

typedef struct SignerIndex SignerIndex;

SignerIndex *signer_index_new(void);
void signer_index_free(SignerIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignerIndex, signer_index_free)

/* Adds LEAF; fails when a member that counts is missing or malformed. */
gboolean signer_index_add(SignerIndex *index, JsonObject *leaf, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A request that was answered. */
typedef struct {
    char digest[65]; /* of the request with its objects */
    gint64 n;        /* which leaf; -1: it does not say */
    gint64 time;     /* seconds since 1970 */
    char *trusted;   /* digest of the program that it made trusted, or NULL */
} SignerAnswered;

/* The request ID of PROJECT, or NULL; owned by the index. */
const SignerAnswered *signer_index_find_request(const SignerIndex *index, const char *project, const char *id);

/* Whether keys were ever made for PROJECT. */
gboolean signer_index_was_created(const SignerIndex *index, const char *project);

/* Whether the root hash (hexadecimal, of either case) was signed for this job of TARGET. */
gboolean signer_index_has_root_hash(
        const SignerIndex *index, const char *project, const char *target, const char *job, const char *root_hash);

/* The version of TARGET as part of which a program whose file has the SHA-256 digest DIGEST was signed, the
 * highest if there are several; NULL: it was not. */
const char *signer_index_find_file(
        const SignerIndex *index, const char *project, const char *target, const char *digest);

/* The same of any target, for an Authenticode digest. */
const char *signer_index_find_program(const SignerIndex *index, const char *project, const char *digest);

/* The highest version of the integrity policy NAME that was signed; -1: none. */
gint64 signer_index_get_policy_version(const SignerIndex *index, const char *project, const char *name);

/* A version that a manifest was signed for. */
typedef struct {
    char *version;
    char *entries; /* digest of what it listed last, but for its last day; NULL: the leaf is of before this was noted */
    gint64 first;  /* when a manifest of the version was signed first; seconds since 1970 */
    GHashTable *approved; /* a set of names of those who approved these entries */
} SignerOffer;

/* The versions (SignerOffer) of CHANNEL of TARGET, in the order in which they were signed first; NULL: none. */
const GPtrArray *signer_index_get_offers(
        const SignerIndex *index, const char *project, const char *target, const char *channel);

/* Whether somebody withdrew VERSION of PROJECT. */
gboolean signer_index_is_withdrawn(const SignerIndex *index, const char *project, const char *version);

/* The digest of the program that is trusted as the first called NAME; NULL: there is none yet. RET_N (may be
 * NULL) receives how many names there are. */
const char *signer_index_get_first(const SignerIndex *index, const char *project, const char *name, guint *ret_n);

/* How many signatures were made for PROJECT in the hour before NOW. */
guint64 signer_index_count_signatures(const SignerIndex *index, const char *project, gint64 now);
