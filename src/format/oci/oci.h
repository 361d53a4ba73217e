/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An image layout of the Open Container Initiative (image-spec 1.0): a directory with oci-layout, index.json
 * and everything else as blobs under the name of their digest. */

#include <glib.h>

typedef struct {
    const char *architecture;       /* GOARCH */
    const char *const *command;     /* what a container starts; NULL-terminated */
    const char *const *labels;      /* "KEY=VALUE", NULL-terminated; may be NULL */
    const char *const *annotations; /* of the manifest; the same */
    const char *reference;          /* name in the index, or NULL */
    const char *version;            /* annotation org.opencontainers.image.version, or NULL */
    const char *author;             /* program that made it, for the history */
    gint64 created;                 /* seconds, or -1: not said */
} OciImage;

/* The one layer of an image: a tar archive, maybe compressed. */
typedef struct {
    const char *media_suffix; /* "", "+gzip" or "+zstd" */
    char *diff_id;            /* digest of the archive before it was compressed, hex */
    char *digest;             /* of the blob, hex */
    guint64 size;             /* of the blob */
} OciLayer;

/* Makes the directories for blobs below DIR_FD. */
gboolean oci_layout_begin(int dir_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Path of a blob inside of the layout; owned by the caller. */
char *oci_blob_path(const char *digest);

/* Writes everything but the layer, which is at its place already. */
gboolean oci_layout_finish(int dir_fd, const OciImage *image, const OciLayer *layer, GError **error) G_GNUC_WARN_UNUSED_RESULT;
