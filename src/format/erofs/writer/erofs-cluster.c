/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/erofs/writer/erofs-cluster.h"

#include <string.h>
#include <zstd.h>

#include "base/little-endian.h"

/* A stored value: this, the salt, a digest for each block, and, unless it is the input as it was, the blocks. */
#define HEADER_SIZE 4
#define BLOCKS_MAX (EROFS_CLUSTER_SIZE_MAX / EROFS_BLOCK_SIZE)
#define VALUE_MAX (HEADER_SIZE + VERITY_SALT_MAX + BLOCKS_MAX * (EROFS_BLOCK_SIZE + VERITY_DIGEST_SIZE))

struct ErofsClusterMaker {
    ErofsCompressor *compressor;
    Sha256 *sha;
    const guint8 *salt;
    gsize salt_size;
    gboolean wants_digests;
    PackStore *store;
    guint8 kind[SHA256_SIZE]; /* the digest of all that shapes blocks, but their input */
    guint8 *value;            /* VALUE_MAX bytes; NULL without a store */
};

/* Numbers are separated, so that no two kinds read alike. */
static void digest_kind(const ErofsClusterOptions *options, guint8 *ret) {
    g_autofree char *text = g_strdup_printf("EROFS cluster 1\n%d\n%d\n%" G_GUINT32_FORMAT "\n%u\n%s", options->compression,
            options->level, options->window, ZSTD_versionNumber(), options->maker);
    sha256_buffer(text, strlen(text), ret);
}

ErofsClusterMaker *erofs_cluster_maker_new(const ErofsClusterOptions *options) {
    ErofsClusterMaker *maker = g_new0(ErofsClusterMaker, 1);
    maker->compressor = erofs_compressor_new(options->compression, options->level, options->window);
    maker->sha = sha256_new();
    maker->wants_digests = options->verity != NULL;
    if (options->verity)
        maker->salt = verity_tree_get_salt(options->verity, &maker->salt_size);
    if (options->store && options->compression != EROFS_COMPRESSION_NONE) {
        maker->store = options->store;
        maker->value = g_malloc(VALUE_MAX);
        digest_kind(options, maker->kind);
    }
    return maker;
}

void erofs_cluster_maker_free(ErofsClusterMaker *maker) {
    erofs_compressor_free(maker->compressor);
    sha256_free(maker->sha);
    g_free(maker->value);
    g_free(maker);
}

static void hash_blocks(ErofsClusterMaker *maker, const guint8 *blocks, guint n, guint8 *digests) {
    for (guint i = 0; maker->wants_digests && i < n; i++)
        sha256_digest(maker->sha, maker->salt, maker->salt_size, blocks + (gsize) i * EROFS_BLOCK_SIZE, EROFS_BLOCK_SIZE,
                digests + (gsize) i * VERITY_DIGEST_SIZE);
}

/* What of a value is where. */
typedef struct {
    ErofsCluster cluster;
    const guint8 *salt, *digests, *blocks; /* BLOCKS: NULL, they are the input */
    gsize salt_size;
} Value;

/* FALSE when it is none for LOGICAL blocks of input. */
static gboolean parse_value(const guint8 *value, gsize size, guint logical, Value *ret) {
    if (size < HEADER_SIZE)
        return FALSE;
    guint physical = read_le16(value);
    gsize salt_size = value[3], digests = (gsize) physical * VERITY_DIGEST_SIZE;
    gboolean raw = value[2] == 1;
    gsize blocks = raw ? 0 : (gsize) physical * EROFS_BLOCK_SIZE;
    if (value[2] > 1 || physical == 0 || (raw ? physical != logical : physical >= logical) ||
            size != HEADER_SIZE + salt_size + digests + blocks)
        return FALSE;
    *ret = (Value){
            .cluster = {.logical = (guint16) logical, .physical = (guint16) physical, .raw = raw},
            .salt = value + HEADER_SIZE,
            .salt_size = salt_size,
            .digests = value + HEADER_SIZE + salt_size,
            .blocks = raw ? NULL : value + HEADER_SIZE + salt_size + digests,
    };
    return TRUE;
}

static gboolean find(ErofsClusterMaker *maker, const guint8 *key, const guint8 *input, gsize size, guint8 *out,
        guint8 *digests, ErofsCluster *ret) {
    guint logical = (size + EROFS_BLOCK_SIZE - 1) / EROFS_BLOCK_SIZE;
    gsize value_size;
    Value value;
    if (!pack_store_find(maker->store, key, maker->value, VALUE_MAX, &value_size) ||
            !parse_value(maker->value, value_size, logical, &value))
        return FALSE;
    *ret = value.cluster;
    if (value.blocks)
        memcpy(out, value.blocks, (gsize) ret->physical * EROFS_BLOCK_SIZE);
    else {
        memcpy(out, input, size);
        memset(out + size, 0, (gsize) logical * EROFS_BLOCK_SIZE - size);
    }
    if (maker->salt_size == value.salt_size && memcmp(maker->salt, value.salt, value.salt_size) == 0)
        memcpy(digests, value.digests, (gsize) ret->physical * VERITY_DIGEST_SIZE);
    else
        hash_blocks(maker, out, ret->physical, digests);
    return TRUE;
}

/* Only with digests: a value has them. */
static void keep(ErofsClusterMaker *maker, const guint8 *key, ErofsCluster cluster, const guint8 *out,
        const guint8 *digests) {
    gsize digests_size = (gsize) cluster.physical * VERITY_DIGEST_SIZE;
    gsize blocks_size = cluster.raw ? 0 : (gsize) cluster.physical * EROFS_BLOCK_SIZE;
    guint8 *at = maker->value;
    write_le16(at, cluster.physical);
    at[2] = cluster.raw;
    at[3] = (guint8) maker->salt_size;
    at += HEADER_SIZE;
    memcpy(at, maker->salt, maker->salt_size);
    memcpy(at + maker->salt_size, digests, digests_size);
    memcpy(at + maker->salt_size + digests_size, out, blocks_size);
    pack_store_add(maker->store, key, maker->value, HEADER_SIZE + maker->salt_size + digests_size + blocks_size);
}

static ErofsCluster compress(ErofsClusterMaker *maker, const guint8 *input, gsize size, guint8 *out, guint8 *digests) {
    ErofsCluster cluster = erofs_compress_cluster(maker->compressor, input, size, out);
    hash_blocks(maker, out, cluster.physical, digests);
    return cluster;
}

ErofsCluster erofs_cluster_make(
        ErofsClusterMaker *maker, const guint8 *input, gsize size, guint8 *out, guint8 *digests) {
    guint8 key[SHA256_SIZE];
    ErofsCluster cluster;

    if (!maker->store || !maker->wants_digests || maker->salt_size > G_MAXUINT8)
        return compress(maker, input, size, out, digests);
    sha256_digest(maker->sha, maker->kind, sizeof maker->kind, input, size, key);
    if (find(maker, key, input, size, out, digests, &cluster))
        return cluster;
    cluster = compress(maker, input, size, out, digests);
    keep(maker, key, cluster, out, digests);
    return cluster;
}
