/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/erofs/writer/erofs-index.h"

#include <string.h>

#include "format/erofs/erofs-format.h"
#include "format/erofs/writer/erofs-tree.h"

#define VALUE_BITS EROFS_BLOCK_BITS
#define DISTANCE_MAX (EROFS_CLUSTER_COUNT_BIT - 1)
#define SMALL_PACK 2  /* entries in 8 bytes */
#define LARGE_PACK 16 /* entries in 32 bytes */

/* How the entries are divided: small packs up to the alignment of large ones, those, and small ones again.
 */
typedef struct {
    guint64 initial;
    guint64 large;
    guint64 final;
} Packing;

static Packing packing_for(gsize offset, guint64 n_logical) {
    Packing packing = {.initial = (32 - offset % 32) / 4 % 8};
    if (packing.initial >= n_logical)
        return (Packing){.final = n_logical};
    packing.large = (n_logical - packing.initial) / LARGE_PACK * LARGE_PACK;
    packing.final = n_logical - packing.initial - packing.large;
    return packing;
}

gsize erofs_index_size(gsize offset, guint64 n_logical) {
    Packing packing = packing_for(offset, n_logical);
    return packing.initial * 4 + packing.large * 2 + (packing.final + 1) / 2 * 8;
}

/* Goes through the logical blocks of a file. */
typedef struct {
    const GArray *clusters;
    guint cluster; /* the current one */
    guint inside;  /* logical block inside it */
    guint32 block; /* where it is on disk */
} Cursor;

typedef struct {
    ErofsClusterType type;
    guint value;      /* as stored */
    guint last_value; /* as stored at the end of a pack */
    guint32 base;     /* address that a pack that starts here has to name */
} Entry;

static Entry next_entry(Cursor *cursor) {
    if (cursor->cluster >= cursor->clusters->len)
        return (Entry){.type = EROFS_CLUSTER_PLAIN, .base = cursor->block};

    const ErofsCluster *cluster = &g_array_index(cursor->clusters, ErofsCluster, cursor->cluster);
    guint inside = cursor->inside;
    Entry entry = {.base = cursor->block};
    if (cluster->raw) {
        /* Every block is a cluster of its own. */
        entry.type = EROFS_CLUSTER_PLAIN;
        entry.base += inside;
    } else if (inside == 0) {
        entry.type = EROFS_CLUSTER_HEAD;
    } else if (inside == 1) {
        entry.type = EROFS_CLUSTER_NONHEAD;
        entry.value = entry.last_value = EROFS_CLUSTER_COUNT_BIT | cluster->physical;
    } else {
        entry.type = EROFS_CLUSTER_NONHEAD;
        entry.value = MIN(inside, DISTANCE_MAX);
        entry.last_value = MIN(cluster->logical - inside, DISTANCE_MAX);
        entry.base += cluster->physical;
    }

    if (++cursor->inside == cluster->logical) {
        cursor->block += cluster->physical;
        cursor->cluster++;
        cursor->inside = 0;
    }
    return entry;
}

/* Writes one pack of N entries; returns its end. */
static guint8 *write_pack(Cursor *cursor, guint n, guint8 *out) {
    gsize size = n == LARGE_PACK ? 32 : 8;
    guint bits = (size * 8 - 32) / n;
    guint32 base = 0;
    for (guint i = 0; i < n; i++) {
        Entry entry = next_entry(cursor);
        if (i == 0)
            base = entry.base;
        guint32 value = i + 1 == n ? entry.last_value : entry.value;
        guint32 packed = (guint32) entry.type << VALUE_BITS | value;
        for (guint bit = 0; bit < bits; bit++)
            if (packed >> bit & 1)
                out[(i * bits + bit) / 8] |= 1u << (i * bits + bit) % 8;
    }
    base = GUINT32_TO_LE(base);
    memcpy(out + size - sizeof base, &base, sizeof base);
    return out + size;
}

void erofs_index_write(gsize offset, const GArray *clusters, guint32 first_block, guint8 *out) {
    guint64 n_logical = 0;
    for (guint i = 0; i < clusters->len; i++)
        n_logical += g_array_index(clusters, ErofsCluster, i).logical;
    Packing packing = packing_for(offset, n_logical);
    Cursor cursor = {.clusters = clusters, .block = first_block};
    for (guint64 done = 0; done < packing.initial; done += SMALL_PACK)
        out = write_pack(&cursor, SMALL_PACK, out);
    for (guint64 done = 0; done < packing.large; done += LARGE_PACK)
        out = write_pack(&cursor, LARGE_PACK, out);
    for (guint64 done = 0; done < packing.final; done += SMALL_PACK)
        out = write_pack(&cursor, SMALL_PACK, out);
}
