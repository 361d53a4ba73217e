/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading a disk image from its start to its end, compressed or not. */

#include <gio/gio.h>

typedef struct ImageSource ImageSource;

/* Opens PATH; compression (zstd, xz, gzip, bzip2, lz4, lzma) is recognised by content unless PLAIN. */
ImageSource *image_source_open(const char *path, gboolean plain, GError **error);
void image_source_free(ImageSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImageSource, image_source_free)

/* Size of the image in bytes; 0 when it is compressed and not known before it has been read. */
guint64 image_source_size(const ImageSource *source);

/* Reads the next SIZE bytes into BUFFER, fewer only at the end; RET_LENGTH 0 is the end. RET_ZERO says that
 * they are all zero; BUFFER is then not filled if they are a hole. */
gboolean image_source_read(ImageSource *source, guint8 *buffer, gsize size, gsize *ret_length,
        gboolean *ret_zero, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How much of the file has been read, 0 to 1. */
double image_source_fraction(const ImageSource *source);
