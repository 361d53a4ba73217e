/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tlog-tree.h"

#include <string.h>

G_DEFINE_QUARK(tlog-error-quark, tlog_error)

struct TlogTree {
    GArray *levels[TLOG_LEVELS]; /* of TlogHash */
};

gboolean tlog_hash_equal(const TlogHash *a, const TlogHash *b) {
    return memcmp(a->bytes, b->bytes, SHA256_SIZE) == 0;
}

/* RFC 6962: what is hashed begins with what it is, so that no leaf can be taken for a node. */
static TlogHash hash(guint8 kind, const void *a, gsize a_size, const void *b, gsize b_size) {
    g_autoptr(Sha256) sha = sha256_new();
    TlogHash ret;

    sha256_update(sha, &kind, 1);
    sha256_update(sha, a, a_size);
    sha256_update(sha, b, b_size);
    sha256_finish(sha, ret.bytes);
    return ret;
}

TlogHash tlog_leaf_hash(const void *data, gsize size) {
    return hash(0, data, size, NULL, 0);
}

TlogHash tlog_node_hash(const TlogHash *left, const TlogHash *right) {
    return hash(1, left->bytes, SHA256_SIZE, right->bytes, SHA256_SIZE);
}

/* The largest power of two below SIZE, which is at least 2. */
static guint64 split(guint64 size) {
    return G_GUINT64_CONSTANT(1) << (g_bit_storage(size - 1) - 1);
}

static guint log2_of(guint64 power) {
    return (guint) g_bit_storage(power) - 1;
}

/* The hash of the SIZE leaves from FIRST on, as the definition goes: what is left of a split is complete. */
static gboolean hash_range(
        const TlogReader *reader, guint64 first, guint64 size, TlogHash *ret, GError **error) {
    TlogHash left, right;

    if ((size & (size - 1)) == 0)
        return reader->read(reader->user, log2_of(size), first / size, ret, error);
    guint64 k = split(size);
    if (!hash_range(reader, first, k, &left, error) || !hash_range(reader, first + k, size - k, &right, error))
        return FALSE;
    *ret = tlog_node_hash(&left, &right);
    return TRUE;
}

gboolean tlog_root(const TlogReader *reader, guint64 size, TlogHash *ret, GError **error) {
    if (size > 0)
        return hash_range(reader, 0, size, ret, error);
    sha256_buffer(NULL, 0, ret->bytes);
    return TRUE;
}

static gboolean append_range(
        const TlogReader *reader, guint64 first, guint64 size, GArray *path, GError **error) {
    TlogHash found;

    if (!hash_range(reader, first, size, &found, error))
        return FALSE;
    g_array_append_val(path, found);
    return TRUE;
}

static gboolean include(
        const TlogReader *reader, guint64 first, guint64 size, guint64 index, GArray *path, GError **error) {
    if (size == 1)
        return TRUE;
    guint64 k = split(size);
    if (index < k)
        return include(reader, first, k, index, path, error) &&
               append_range(reader, first + k, size - k, path, error);
    return include(reader, first + k, size - k, index - k, path, error) && append_range(reader, first, k, path, error);
}

GArray *tlog_prove_inclusion(const TlogReader *reader, guint64 index, guint64 size, GError **error) {
    g_autoptr(GArray) path = g_array_new(FALSE, FALSE, sizeof(TlogHash));

    g_return_val_if_fail(index < size, NULL);
    return include(reader, 0, size, index, path, error) ? g_steal_pointer(&path) : NULL;
}

/* IS_OLD: the first OLD leaves of the range are the whole of the old tree, whose root its owner has. */
static gboolean connect(const TlogReader *reader, guint64 first, guint64 size, guint64 old, gboolean is_old,
        GArray *path, GError **error) {
    if (old == size)
        return is_old || append_range(reader, first, size, path, error);
    guint64 k = split(size);
    if (old <= k)
        return connect(reader, first, k, old, is_old, path, error) &&
               append_range(reader, first + k, size - k, path, error);
    return connect(reader, first + k, size - k, old - k, FALSE, path, error) &&
           append_range(reader, first, k, path, error);
}

GArray *tlog_prove_consistency(const TlogReader *reader, guint64 old_size, guint64 size, GError **error) {
    g_autoptr(GArray) path = g_array_new(FALSE, FALSE, sizeof(TlogHash));

    g_return_val_if_fail(old_size <= size, NULL);
    return old_size == 0 || connect(reader, 0, size, old_size, TRUE, path, error) ? g_steal_pointer(&path) : NULL;
}

/* ---- in memory ---- */

TlogTree *tlog_tree_new(void) {
    TlogTree *tree = g_new0(TlogTree, 1);

    for (guint i = 0; i < TLOG_LEVELS; i++)
        tree->levels[i] = g_array_new(FALSE, FALSE, sizeof(TlogHash));
    return tree;
}

void tlog_tree_free(TlogTree *tree) {
    if (!tree)
        return;
    for (guint i = 0; i < TLOG_LEVELS; i++)
        g_array_unref(tree->levels[i]);
    g_free(tree);
}

void tlog_tree_append(TlogTree *tree, const TlogHash *leaf) {
    TlogHash next = *leaf;

    for (guint level = 0; level < TLOG_LEVELS; level++) {
        GArray *hashes = tree->levels[level];
        g_array_append_val(hashes, next);
        if (hashes->len % 2 != 0)
            return;
        const TlogHash *right = &g_array_index(hashes, TlogHash, hashes->len - 1);
        next = tlog_node_hash(right - 1, right);
    }
}

guint64 tlog_tree_get_size(const TlogTree *tree) {
    return tree->levels[0]->len;
}

static gboolean read_tree(gpointer user, guint level, guint64 index, TlogHash *ret, GError **error) {
    const TlogTree *tree = user;

    if (level >= TLOG_LEVELS || index >= tree->levels[level]->len) {
        g_set_error(error, TLOG_ERROR, TLOG_ERROR_MISSING, "The log has no hash %u/%" G_GUINT64_FORMAT, level, index);
        return FALSE;
    }
    *ret = g_array_index(tree->levels[level], TlogHash, index);
    return TRUE;
}

TlogReader tlog_tree_reader(const TlogTree *tree) {
    return (TlogReader){read_tree, (gpointer) tree};
}

TlogHash tlog_tree_get_root(const TlogTree *tree) {
    TlogReader reader = tlog_tree_reader(tree);
    TlogHash root;

    /* All hashes of a tree's own size are there. */
    g_assert(tlog_root(&reader, tlog_tree_get_size(tree), &root, NULL));
    return root;
}
