/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is in the frames of an initrd: archives in the "newc" format of cpio. */

#include <glib.h>

typedef struct {
    char *path;
    guint64 offset, size; /* of its content in the archive */
} InitrdFile;

/* The files with content of the archive of SIZE bytes at BYTES, in their order, up to where it makes no sense any more: an
 * array of InitrdFile. */
GPtrArray *initrd_list(const guint8 *bytes, gsize size);

/* The one at PATH; NULL: there is none. */
const InitrdFile *initrd_find(const GPtrArray *files, const char *path);

/* Bytes of the frame of zstd at BYTES; 0: there is none. */
gsize initrd_measure_frame(const guint8 *bytes, gsize size);

/* What that frame unpacks to; NULL: nothing. */
GBytes *initrd_unpack(const guint8 *frame, gsize size);

/* The level with which CONTENT becomes FRAME; 0: nobody knows. */
guint initrd_find_level(const guint8 *frame, gsize size, GBytes *content);
