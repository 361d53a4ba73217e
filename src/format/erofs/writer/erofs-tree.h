/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tree of a file system that is being written, in memory: everything but the contents of files. */

#include <gio/gio.h>
#include <sys/stat.h>

#include "format/erofs/writer/erofs-writer.h"
#include "format/erofs/writer/erofs-xattr.h"

typedef struct ErofsInode ErofsInode;

/* Part of a compressed file: LOGICAL blocks of it are PHYSICAL blocks on disk. */
typedef struct {
    guint16 logical;
    guint16 physical; /* 0: in the packed inode */
    gboolean raw;     /* stored as it is */
} ErofsCluster;

#define EROFS_NO_FRAGMENT G_MAXUINT64

/* Where the content of a file (also of a directory and a symlink) went. */
typedef struct {
    guint64 body_size;   /* bytes in blocks of its own; what is left is the tail */
    guint32 first_block; /* of the body */
    guint32 n_blocks;    /* of the body, on disk */
    GArray *clusters;    /* of ErofsCluster; NULL if the body is not compressed */
    guint64 fragment;    /* offset in the packed inode of the tail, or EROFS_NO_FRAGMENT */
    guint8 *inline_tail; /* the tail, if it is to follow the inode */
} ErofsData;

struct ErofsInode {
    mode_t mode;
    uid_t uid;
    gid_t gid;
    guint32 rdev; /* as on disk */
    guint64 size; /* of files and symlinks; set for directories when they are laid out */
    gint64 mtime;
    guint32 mtime_nsec;
    GPtrArray *xattrs; /* NULL if there are none */

    int source_fd;       /* regular files: root of the tree, borrowed from the ErofsTree */
    char *source_path;   /* regular files: path from there */
    char *target;        /* symlinks */
    GHashTable *entries; /* directories: name -> ErofsInode */
    ErofsInode *parent;  /* directories; the root is its own */

    /* Set by erofs_tree_finish(). */
    guint32 ino; /* from 1 on in the order of paths; 0: not in the file system */
    guint32 nlink;
    guint32 path_hash; /* of its first path */

    ErofsData data;
    guint64 nid;
};

typedef struct {
    ErofsInode *root;
    GPtrArray *inodes;      /* owns them all, also those that were replaced */
    GArray *source_fds;     /* owned */
    GHashTable *hard_links; /* device and inode number -> ErofsInode */
    ErofsXattrTable *xattrs;
    gint64 build_time;
    gint64 clamp_mtime;
} ErofsTree;

ErofsTree *erofs_tree_new(gint64 build_time, gint64 clamp_mtime);
void erofs_tree_free(ErofsTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ErofsTree, erofs_tree_free)

/* See erofs-writer.h for these three. */
gboolean erofs_tree_add(ErofsTree *tree, int root_fd, const char *source_path, const char *target_path,
        ErofsFilter filter, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean erofs_tree_add_directory(
        ErofsTree *tree, const char *path, mode_t mode, uid_t uid, gid_t gid, gint64 mtime, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean erofs_tree_add_symlink(ErofsTree *tree, const char *path, const char *target, uid_t uid, gid_t gid,
        gint64 mtime, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An inode outside of the tree (the packed inode), owned by it. */
ErofsInode *erofs_tree_make_inode(ErofsTree *tree, mode_t mode, uid_t uid, gid_t gid);

/*
 * Numbers the inodes and counts their links and the uses of xattrs. Returns the inodes in the order of their
 * paths, each once.
 */
GPtrArray *erofs_tree_finish(ErofsTree *tree);

/* The names in a directory (not "." and ".."), sorted as bytes. Borrowed strings. */
GPtrArray *erofs_tree_sorted_names(const ErofsInode *directory);

/* Opens the content of a regular file. Returns -1 and an error that names the file. */
int erofs_inode_open(const ErofsInode *inode, GError **error);
