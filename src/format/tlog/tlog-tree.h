/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The hash tree of a log that is only ever appended to (RFC 6962, section 2.1, with SHA-256), and what can be proved with it.
 * All functions work on hashes of complete subtrees: the one of LEVEL at INDEX covers the 2^LEVEL leaves from INDEX * 2^LEVEL
 * on. Where they come from, a TlogReader says: memory, tiles in files, tiles of a server. */

#include <glib.h>

#include "base/sha256.h"

#define TLOG_ERROR tlog_error_quark()
GQuark tlog_error_quark(void);

typedef enum {
    TLOG_ERROR_MALFORMED, /* bytes that are not of the format */
    TLOG_ERROR_SIGNATURE, /* no good signature by the key that counts */
    TLOG_ERROR_PROOF,     /* what was to be proved is not so */
    TLOG_ERROR_MISSING,   /* a part of the log is not there */
    TLOG_ERROR_DAMAGED,   /* the parts of a log do not fit together */
} TlogError;

/* Levels that a tree of 2^63 leaves has. */
#define TLOG_LEVELS 64

typedef struct {
    guint8 bytes[SHA256_SIZE];
} TlogHash;

gboolean tlog_hash_equal(const TlogHash *a, const TlogHash *b) G_GNUC_WARN_UNUSED_RESULT;

/* The hash of the leaf DATA. */
TlogHash tlog_leaf_hash(const void *data, gsize size);
/* The hash above LEFT and RIGHT. */
TlogHash tlog_node_hash(const TlogHash *left, const TlogHash *right);

/* Gets the hash of a complete subtree. */
typedef gboolean (*TlogRead)(gpointer user, guint level, guint64 index, TlogHash *ret, GError **error);

typedef struct {
    TlogRead read;
    gpointer user;
} TlogReader;

/* ---- making proofs; PATHs are arrays of TlogHash, owned by the caller ---- */

/* The root of the first SIZE leaves; that of none is the hash of nothing. */
gboolean tlog_root(const TlogReader *reader, guint64 size, TlogHash *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* That the leaf INDEX is one of the first SIZE, from the leaf's sibling up. INDEX is below SIZE. */
GArray *tlog_prove_inclusion(const TlogReader *reader, guint64 index, guint64 size, GError **error);

/* That the first OLD_SIZE leaves are the beginning of the first SIZE. OLD_SIZE is from 0 to SIZE; the paths of 0 and of SIZE
 * are empty. */
GArray *tlog_prove_consistency(const TlogReader *reader, guint64 old_size, guint64 size, GError **error);

/* ---- judging them; TLOG_ERROR_PROOF ---- */

gboolean tlog_check_inclusion(const TlogHash *path, gsize n, guint64 index, guint64 size, const TlogHash *leaf,
        const TlogHash *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean tlog_check_consistency(const TlogHash *path, gsize n, guint64 old_size, const TlogHash *old_root, guint64 size,
        const TlogHash *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- a tree in memory ---- */

typedef struct TlogTree TlogTree;

TlogTree *tlog_tree_new(void);
void tlog_tree_free(TlogTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlogTree, tlog_tree_free)

/* Adds a leaf by its hash. */
void tlog_tree_append(TlogTree *tree, const TlogHash *leaf);
guint64 tlog_tree_get_size(const TlogTree *tree);
TlogHash tlog_tree_get_root(const TlogTree *tree);

/* Reads from TREE, which has to last as long; missing hashes are TLOG_ERROR_MISSING. */
TlogReader tlog_tree_reader(const TlogTree *tree);
