/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judging paths: RFC 9162, sections 2.1.3.2 and 2.1.4.2. */
#include "tlog-tree.h"

static gboolean fail(GError **error, const char *what) {
    g_set_error_literal(error, TLOG_ERROR, TLOG_ERROR_PROOF, what);
    return FALSE;
}

gboolean tlog_check_inclusion(const TlogHash *path, gsize n, guint64 index, guint64 size, const TlogHash *leaf,
        const TlogHash *root, GError **error) {
    TlogHash hash = *leaf;
    guint64 node = index, last = size - 1;

    if (index >= size)
        return fail(error, "the log is not long enough to have this entry");
    for (gsize i = 0; i < n; i++) {
        if (last == 0)
            return fail(error, "the path of hashes is too long");
        gboolean is_right = node % 2 != 0 || node == last;
        hash = is_right ? tlog_node_hash(&path[i], &hash) : tlog_node_hash(&hash, &path[i]);
        /* The last node of a level has no sibling where that level is odd: its hash stands for the one above. */
        while (is_right && node % 2 == 0 && node != 0) {
            node /= 2;
            last /= 2;
        }
        node /= 2;
        last /= 2;
    }
    if (last != 0)
        return fail(error, "the path of hashes is too short");
    return tlog_hash_equal(&hash, root) || fail(error, "the entry is not what the log has at this place");
}

/* One step of a path between two trees. */
static void climb(guint64 *node, guint64 *last) {
    while (*node % 2 == 0 && *node != 0) {
        *node /= 2;
        *last /= 2;
    }
    *node /= 2;
    *last /= 2;
}

static gboolean check_path(const TlogHash *path, gsize n, guint64 old_size, const TlogHash *old_root, guint64 size,
        const TlogHash *root, GError **error) {
    gboolean is_complete = (old_size & (old_size - 1)) == 0;
    guint64 node = old_size - 1, last = size - 1;
    gsize i = is_complete ? 0 : 1;

    if (n == 0)
        return fail(error, "the path of hashes is too short");
    TlogHash old = is_complete ? *old_root : path[0], now = old;
    while (node % 2 != 0) {
        node /= 2;
        last /= 2;
    }
    for (; i < n; i++) {
        if (last == 0)
            return fail(error, "the path of hashes is too long");
        if (node % 2 != 0 || node == last) {
            old = tlog_node_hash(&path[i], &old);
            now = tlog_node_hash(&path[i], &now);
            climb(&node, &last);
        } else {
            now = tlog_node_hash(&now, &path[i]);
            node /= 2;
            last /= 2;
        }
    }
    if (last != 0)
        return fail(error, "the path of hashes is too short");
    return (tlog_hash_equal(&old, old_root) && tlog_hash_equal(&now, root)) ||
           fail(error, "entries were removed, changed or put elsewhere");
}

gboolean tlog_check_consistency(const TlogHash *path, gsize n, guint64 old_size, const TlogHash *old_root, guint64 size,
        const TlogHash *root, GError **error) {
    if (old_size > size)
        return fail(error, "the log has fewer entries than before");
    if (old_size == size || old_size == 0) {
        if (n > 0)
            return fail(error, "the path of hashes is too long");
        return old_size == 0 || tlog_hash_equal(old_root, root) ||
               fail(error, "entries were changed or put elsewhere");
    }
    return check_path(path, n, old_size, old_root, size, root, error);
}
