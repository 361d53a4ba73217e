/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Archives in the tar format of POSIX.1-2001 ("ustar" headers, with "pax" records where those are too
 * small). Nothing but what is given gets into them: no clock, no names of users, no character set. */

#include <glib.h>
#include <sys/types.h>

#include "format/compress/compressor.h"

typedef struct TarWriter TarWriter;

/* Starts an archive that goes into COMPRESSOR (borrowed). */
TarWriter *tar_writer_new(Compressor *compressor);
void tar_writer_free(TarWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TarWriter, tar_writer_free)

/* One record of the next entry: SCHILY.acl.access and the like. */
void tar_writer_add_record(TarWriter *writer, const char *key, const void *value, gsize size);

/* An extended attribute of the next entry. */
void tar_writer_add_xattr(TarWriter *writer, const char *attribute, const void *value, gsize size);

typedef struct {
    const char *name;      /* a directory's ends with a slash */
    mode_t mode;           /* with its type: file, directory, symbolic link, device, fifo */
    const char *link;      /* text of a symbolic link; or, for a file, the name of an earlier entry */
    gboolean is_hard_link; /* LINK is such a name */
    guint32 uid, gid;
    dev_t device;
    gint64 mtime;
    guint64 size; /* of the data that follows; of files only */
} TarEntry;

/* Begins an entry with the records added before. SIZE bytes of data have to follow. */
gboolean tar_writer_begin(TarWriter *writer, const TarEntry *entry, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean tar_writer_data(TarWriter *writer, const void *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends the archive, not the compressor. */
gboolean tar_writer_finish(TarWriter *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;
