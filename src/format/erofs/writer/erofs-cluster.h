/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One cluster: from its input to blocks and to what verity needs to know of them. Where there is a store (packs/), it is
 * asked first: clusters that an earlier file system had are neither compressed nor hashed again.
 */

#include "base/sha256.h"
#include "format/erofs/writer/erofs-compress.h"
#include "format/verity/verity.h"
#include "packs/pack-store.h"

typedef struct {
    ErofsCompression compression;
    int level;
    guint32 window;           /* bytes of the largest cluster */
    const VerityTree *verity; /* borrowed; NULL: nobody wants digests */
    PackStore *store;         /* borrowed; NULL: none */
    const char *maker;        /* the program that compresses: another one may do it otherwise */
} ErofsClusterOptions;

typedef struct ErofsClusterMaker ErofsClusterMaker;

/* One per thread. */
ErofsClusterMaker *erofs_cluster_maker_new(const ErofsClusterOptions *options);
void erofs_cluster_maker_free(ErofsClusterMaker *maker);

/*
 * Makes SIZE bytes of INPUT to whole blocks at OUT, which has room for SIZE rounded up to blocks. DIGESTS, with room for
 * as many, gets the digest of each block, if somebody wants them.
 */
ErofsCluster erofs_cluster_make(
        ErofsClusterMaker *maker, const guint8 *input, gsize size, guint8 *out, guint8 *digests);
