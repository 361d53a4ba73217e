/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/erofs/writer/erofs-label.h"

#define ATTRIBUTE "security.selinux"

typedef struct {
    ErofsTree *tree;
    ErofsLabel label;
    gpointer data;
    GHashTable *done; /* inodes */
} Labelling;

static gboolean label_inode(const Labelling *labelling, ErofsInode *inode, const char *path, GError **error) {
    g_autoptr(GBytes) value = NULL;

    if (!g_hash_table_add(labelling->done, inode))
        return TRUE;
    if (!labelling->label(*path ? path : "/", inode->mode, &value, labelling->data, error))
        return FALSE;
    return !value || erofs_xattr_set(labelling->tree->xattrs, &inode->xattrs, ATTRIBUTE, value, error);
}

static gboolean label_below(const Labelling *labelling, ErofsInode *inode, const char *path, GError **error) {
    if (!label_inode(labelling, inode, path, error))
        return FALSE;
    g_autoptr(GPtrArray) names = inode->entries ? erofs_tree_sorted_names(inode) : NULL;
    for (guint i = 0; names && i < names->len; i++) {
        g_autofree char *child = g_strconcat(path, "/", names->pdata[i], NULL);
        if (!label_below(labelling, g_hash_table_lookup(inode->entries, names->pdata[i]), child, error))
            return FALSE;
    }
    return TRUE;
}

gboolean erofs_tree_label(ErofsTree *tree, ErofsLabel label, gpointer data, GError **error) {
    g_autoptr(GHashTable) done = g_hash_table_new(NULL, NULL);
    const Labelling labelling = {tree, label, data, done};

    return label_below(&labelling, tree->root, "", error);
}
