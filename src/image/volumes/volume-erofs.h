/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* EROFS volumes, through our own writer. */

#include "format/verity/verity.h"
#include "image/volumes/volume.h"
#include "packs/pack-store.h"

typedef struct {
    const char *compression; /* "zstd" or "none" */
    int level;               /* -1: default */
    guint threads;           /* 0: all processors */
    guint64 max_size;        /* 0: no limit */
    PackStore *store;        /* see erofs-writer.h, also for the next */
    const char *maker;
    VerityTree *verity;      /* gets the digests of all blocks, or NULL */
} ErofsVolumeOptions;

/* Writes the content of VOLUME as a file system at OFFSET of FD; RET_SIZE is a multiple of 4096. */
gboolean erofs_volume_write(const Volume *volume, const ErofsVolumeOptions *options, int fd, guint64 offset,
        guint64 *ret_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
