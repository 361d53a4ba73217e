/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What Authenticode has to know of a PE image: which bytes the digest skips and in which order it takes the
 * rest. A walk of its own over the headers, independent of pe.h, because it decides what is signed. */

#include <glib.h>

#include "base/sha256.h"

#define PE_SECTIONS_MAX 65535

typedef struct {
    gsize size;                      /* of the whole image */
    gsize checksum_offset;           /* of the checksum in the optional header */
    gsize certificates_entry_offset; /* of the data directory entry of the certificate table */
    gsize sections_offset;
    guint n_sections;
    gsize headers_size;
    gsize certificates_offset; /* where the certificate table is; size 0: none */
    gsize certificates_size;
} PeLayout;

/* Reads the headers of SIZE bytes at IMAGE. A certificate table that is not at the very end is refused: the
 * bytes after it would be outside of every signature. */
gboolean pe_layout_read(PeLayout *layout, const guint8 *image, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Computes the Authenticode SHA-256 digest of IMAGE. */
gboolean pe_layout_digest(
        const PeLayout *layout, const guint8 *image, guint8 ret_digest[static SHA256_SIZE], GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Points the headers of IMAGE (SIZE bytes, a copy whose headers are those of LAYOUT) to a certificate table
 * and sets the checksum. */
void pe_layout_set_certificates(
        const PeLayout *layout, guint8 *image, gsize size, gsize table_offset, gsize table_size);
