/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Directories, inodes and shared xattrs: everything that follows the contents of files. */

#include <gio/gio.h>

#include "format/erofs/writer/erofs-data.h"
#include "format/erofs/writer/erofs-tree.h"

/* What the superblock has to say about it. */
typedef struct {
    guint32 meta_block;
    guint32 xattr_block;
    guint16 root_nid;
    guint64 packed_nid; /* 0: there is none */
} ErofsMetadata;

/* Bytes of the largest tail that can follow INODE. */
gsize erofs_inline_max(const ErofsInode *inode);

/*
 * Appends the metadata of INODES, whose contents are written, and of PACKED if it is not empty, to the
 * output. SHARED_XATTRS: from erofs_xattr_table_share().
 */
gboolean erofs_metadata_write(ErofsOutput *output, const ErofsTree *tree, GPtrArray *inodes,
        ErofsInode *packed, const GByteArray *shared_xattrs, ErofsMetadata *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
