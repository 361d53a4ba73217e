/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Extended attributes: read from files, kept once per distinct name and value, written to inodes. */

#include <gio/gio.h>

/* A distinct name and value. Owned by the table. */
typedef struct ErofsXattr {
    GBytes *entry;    /* as on disk, padded to 4 bytes */
    guint64 uses;     /* inodes of the file system that have it */
    gint64 shared_id; /* in the shared area, -1 if it is stored in each inode */
} ErofsXattr;

typedef struct ErofsXattrTable ErofsXattrTable;

ErofsXattrTable *erofs_xattr_table_new(void);
void erofs_xattr_table_free(ErofsXattrTable *table);

/*
 * Reads the xattrs of NAME in the directory DIRECTORY_FD (of the directory itself if NAME is NULL), without
 * following symlinks. Attributes of overlayfs and of namespaces that EROFS has no number for are left out.
 * RET: NULL if there are none, otherwise ErofsXattr pointers in a fixed order; free with
 * g_ptr_array_unref().
 */
gboolean erofs_xattr_read(
        ErofsXattrTable *table, int directory_fd, const char *name, GPtrArray **ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Sets the attribute NAME in XATTRS (may be NULL, then it is made), replacing one of that name. A name that
 * EROFS has no number for is an error.
 */
gboolean erofs_xattr_set(
        ErofsXattrTable *table, GPtrArray **xattrs, const char *name, GBytes *value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Decides what is shared, from the uses counted so far; returns the shared area's content, which starts at
 * a block of its own.
 */
GByteArray *erofs_xattr_table_share(ErofsXattrTable *table);

/* Bytes after the inode that XATTRS (may be NULL) take, or G_MAXUINT32 if that is more than an inode can
 * have. */
guint32 erofs_xattr_size(const GPtrArray *xattrs);

/* Writes them to OUT, which has erofs_xattr_size() bytes. */
void erofs_xattr_write(const GPtrArray *xattrs, guint8 *out);
