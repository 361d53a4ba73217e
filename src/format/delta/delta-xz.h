/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Files that are packed with xz, taken out of their packing and packed again to the very same bytes.
 *
 * Specification: the .xz file format, https://tukaani.org/xz/xz-file-format.txt. What the format does not say is how hard
 * the packer looked; that is found by trying.
 */

#include "format/delta/delta.h"

/* Whether SIZE bytes at FILE begin like an xz file. */
gboolean delta_is_xz(const guint8 *file, gsize size);

/* What FILE unpacks to, at most MAX bytes, else G_IO_ERROR_INVALID_DATA. Owned by the caller. */
guint8 *delta_xz_unpack(const guint8 *file, gsize size, gsize max, gsize *ret_size, GError **error);

/* How CONTENT becomes FILE. FALSE: nobody knows; that is no error. */
gboolean delta_xz_probe(const guint8 *file, gsize size, const guint8 *content, gsize content_size, DeltaXz *ret);

/* Packs CONTENT; OUT has room for XZ->size bytes, and gets exactly as many, else it is an error. */
gboolean delta_xz_pack(
        const DeltaXz *xz, const guint8 *content, gsize size, guint8 *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
