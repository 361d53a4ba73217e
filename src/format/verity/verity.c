/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/verity/verity.h"

#include <assert.h>
#include <string.h>

#include "base/io.h"
#include "base/sha256.h"
#include "base/work-pool.h"

#define DIGESTS_PER_BLOCK (VERITY_BLOCK_SIZE / VERITY_DIGEST_SIZE)
#define LEVELS_MAX 9 /* 128^9 > 2^52, the blocks of 2^64 bytes */

static_assert(VERITY_DIGEST_SIZE == SHA256_SIZE, "the tree is made of SHA-256 digests");

typedef struct {
    guint8 signature[8];
    guint32 version;
    guint32 hash_type;
    guint8 uuid[16];
    char algorithm[32];
    guint32 data_block_size;
    guint32 hash_block_size;
    guint64 data_blocks;
    guint16 salt_size;
    guint8 reserved1[6];
    guint8 salt[VERITY_SALT_MAX];
    guint8 reserved2[168];
} __attribute__((packed)) RawSuperblock;

static_assert(sizeof(RawSuperblock) == 512, "veritysetup's superblock has 512 bytes");

static const guint8 superblock_signature[8] = "verity\0";

struct VerityTree {
    guint8 salt[VERITY_SALT_MAX];
    gsize salt_size;
    GMutex lock;
    guint64 n_blocks;
    guint64 n_allocated;
    guint8 *digests; /* of the data blocks */
};

VerityTree *verity_tree_new(const guint8 *salt, gsize salt_size) {
    g_return_val_if_fail(salt_size <= VERITY_SALT_MAX, NULL);
    VerityTree *tree = g_new0(VerityTree, 1);
    if (salt_size > 0)
        memcpy(tree->salt, salt, salt_size);
    tree->salt_size = salt_size;
    g_mutex_init(&tree->lock);
    return tree;
}

void verity_tree_free(VerityTree *tree) {
    if (!tree)
        return;
    g_mutex_clear(&tree->lock);
    g_free(tree->digests);
    g_free(tree);
}

const guint8 *verity_tree_get_salt(const VerityTree *tree, gsize *ret_size) {
    *ret_size = tree->salt_size;
    return tree->salt;
}

/* Makes room for digests of N_BLOCKS blocks. The caller holds the lock. */
static void tree_reserve(VerityTree *tree, guint64 n_blocks) {
    if (n_blocks > tree->n_allocated) {
        guint64 n = MAX(n_blocks, tree->n_allocated * 2);
        tree->digests = g_realloc_n(tree->digests, n, VERITY_DIGEST_SIZE);
        memset(tree->digests + tree->n_allocated * VERITY_DIGEST_SIZE, 0,
                (n - tree->n_allocated) * VERITY_DIGEST_SIZE);
        tree->n_allocated = n;
    }
    tree->n_blocks = MAX(tree->n_blocks, n_blocks);
}

void verity_tree_set_digests(VerityTree *tree, guint64 first_block, const guint8 *digests, gsize n_blocks) {
    g_mutex_lock(&tree->lock);
    tree_reserve(tree, first_block + n_blocks);
    memcpy(tree->digests + first_block * VERITY_DIGEST_SIZE, digests, n_blocks * VERITY_DIGEST_SIZE);
    g_mutex_unlock(&tree->lock);
}

static void hash_blocks(Sha256 *sha, const guint8 *salt, gsize salt_size, const guint8 *data, gsize n_blocks,
        guint8 *digests) {
    for (gsize i = 0; i < n_blocks; i++)
        sha256_digest(sha, salt, salt_size, data + i * VERITY_BLOCK_SIZE, VERITY_BLOCK_SIZE,
                digests + i * VERITY_DIGEST_SIZE);
}

void verity_tree_update(VerityTree *tree, guint64 first_block, const void *data, gsize n_blocks) {
    g_autoptr(Sha256) sha = sha256_new();
    g_autofree guint8 *digests = g_malloc_n(n_blocks, VERITY_DIGEST_SIZE);
    hash_blocks(sha, tree->salt, tree->salt_size, data, n_blocks, digests);
    verity_tree_set_digests(tree, first_block, digests, n_blocks);
}

/* Fills COUNTS with the blocks of each level, leaves first; returns the number of levels. */
static guint tree_levels(guint64 data_blocks, guint64 counts[LEVELS_MAX]) {
    guint n = 0;
    for (guint64 below = data_blocks; below > 1 && n < LEVELS_MAX; n++) {
        counts[n] = below / DIGESTS_PER_BLOCK + (below % DIGESTS_PER_BLOCK != 0);
        below = counts[n];
    }
    return n;
}

guint64 verity_hash_area_size(guint64 data_blocks) {
    guint64 counts[LEVELS_MAX], blocks = 1;
    guint n = tree_levels(data_blocks, counts);
    for (guint i = 0; i < n; i++)
        blocks += counts[i];
    return blocks * VERITY_BLOCK_SIZE;
}

static void superblock_fill(
        RawSuperblock *raw, const VerityTree *tree, guint64 data_blocks, const guint8 uuid[16]) {
    memcpy(raw->signature, superblock_signature, sizeof raw->signature);
    raw->version = GUINT32_TO_LE(1);
    raw->hash_type = GUINT32_TO_LE(1);
    memcpy(raw->uuid, uuid, sizeof raw->uuid);
    strcpy(raw->algorithm, "sha256");
    raw->data_block_size = GUINT32_TO_LE(VERITY_BLOCK_SIZE);
    raw->hash_block_size = GUINT32_TO_LE(VERITY_BLOCK_SIZE);
    raw->data_blocks = GUINT64_TO_LE(data_blocks);
    raw->salt_size = GUINT16_TO_LE(tree->salt_size);
    memcpy(raw->salt, tree->salt, tree->salt_size);
}

gboolean verity_tree_write(VerityTree *tree, guint64 data_blocks, int fd, guint64 offset,
        const guint8 uuid[16], guint8 ret_root_hash[VERITY_DIGEST_SIZE], guint64 *ret_size, GError **error) {
    g_return_val_if_fail(data_blocks > 0 && data_blocks <= tree->n_blocks, FALSE);

    guint64 counts[LEVELS_MAX];
    guint n_levels = tree_levels(data_blocks, counts);
    guint64 size = verity_hash_area_size(data_blocks);
    g_autofree guint8 *area = g_try_malloc0(size);
    if (!area) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                "not enough memory for a verity tree of %" G_GUINT64_FORMAT " bytes", size);
        return FALSE;
    }
    superblock_fill((RawSuperblock *) area, tree, data_blocks, uuid);

    /* Leaves are last in the area; each level in front of the one it covers. */
    g_autoptr(Sha256) sha = sha256_new();
    guint8 *level = area + size;
    memcpy(ret_root_hash, tree->digests, VERITY_DIGEST_SIZE);
    for (guint i = 0; i < n_levels; i++) {
        guint8 *below = level;
        level -= counts[i] * VERITY_BLOCK_SIZE;
        if (i == 0)
            memcpy(level, tree->digests, data_blocks * VERITY_DIGEST_SIZE);
        else
            hash_blocks(sha, tree->salt, tree->salt_size, below, counts[i - 1], level);
    }
    if (n_levels > 0)
        hash_blocks(sha, tree->salt, tree->salt_size, level, 1, ret_root_hash);

    if (!pwrite_all(fd, area, size, offset, error)) {
        g_prefix_error(error, "verity tree: ");
        return FALSE;
    }
    if (ret_size)
        *ret_size = size;
    return TRUE;
}

/* Hashing of what is on disk already: jobs over stretches of the file. */

#define HASH_STRETCH (G_GUINT64_CONSTANT(1024) * 1024)

typedef struct {
    int fd;
    guint64 offset;
    const VerityTree *tree;
} HashInput;

typedef struct {
    Sha256 *sha;
    guint8 *buffer;
} HashContext;

typedef struct {
    WorkJob job;
    const HashInput *input;
    guint64 first_block;
    gsize n_blocks;
    guint8 *digests;
    GError *error;
} HashJob;

static gpointer hash_context_new(gpointer data) {
    HashContext *context = g_new0(HashContext, 1);
    context->sha = sha256_new();
    context->buffer = g_malloc(HASH_STRETCH);
    return context;
}

static void hash_context_free(gpointer data) {
    HashContext *context = data;
    sha256_free(context->sha);
    g_free(context->buffer);
    g_free(context);
}

static void hash_job_run(WorkJob *work, gpointer data) {
    HashJob *job = (HashJob *) work;
    HashContext *context = data;
    const HashInput *input = job->input;
    if (pread_all(input->fd, context->buffer, job->n_blocks * VERITY_BLOCK_SIZE,
                input->offset + job->first_block * VERITY_BLOCK_SIZE, &job->error))
        hash_blocks(context->sha, input->tree->salt, input->tree->salt_size, context->buffer, job->n_blocks,
                job->digests);
}

VerityTree *verity_hash_fd(int fd, guint64 offset, guint64 size, const guint8 *salt, gsize salt_size,
        guint threads, GError **error) {
    if (size == 0 || size % VERITY_BLOCK_SIZE != 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "verity needs whole blocks of %d bytes, not %" G_GUINT64_FORMAT " bytes", VERITY_BLOCK_SIZE,
                size);
        return NULL;
    }
    g_autoptr(VerityTree) tree = verity_tree_new(salt, salt_size);
    guint64 n_blocks = size / VERITY_BLOCK_SIZE, n_jobs = (size + HASH_STRETCH - 1) / HASH_STRETCH;
    tree_reserve(tree, n_blocks);

    HashInput input = {fd, offset, tree};
    g_autofree HashJob *jobs = g_new0(HashJob, n_jobs);
    WorkPool *pool = work_pool_new(threads, hash_context_new, hash_context_free, NULL);
    for (guint64 i = 0; i < n_jobs; i++) {
        HashJob *job = jobs + i;
        job->job.run = hash_job_run;
        job->input = &input;
        job->first_block = i * (HASH_STRETCH / VERITY_BLOCK_SIZE);
        job->n_blocks = MIN(HASH_STRETCH / VERITY_BLOCK_SIZE, n_blocks - job->first_block);
        job->digests = tree->digests + job->first_block * VERITY_DIGEST_SIZE;
        work_pool_submit(pool, &job->job);
    }

    gboolean ok = TRUE;
    for (guint64 i = 0; i < n_jobs; i++) {
        work_pool_wait(pool, &jobs[i].job);
        if (jobs[i].error && ok) {
            g_propagate_prefixed_error(error, g_steal_pointer(&jobs[i].error), "hashing for verity: ");
            ok = FALSE;
        }
        g_clear_error(&jobs[i].error);
    }
    work_pool_free(pool);
    return ok ? g_steal_pointer(&tree) : NULL;
}

static gboolean superblock_error(GError **error, GIOErrorEnum code, const char *what) {
    g_set_error(error, G_IO_ERROR, code, "verity superblock: %s", what);
    return FALSE;
}

gboolean verity_superblock_parse(const guint8 *buffer, gsize size, VeritySuperblock *ret, GError **error) {
    RawSuperblock raw;
    if (size < sizeof raw)
        return superblock_error(error, G_IO_ERROR_INVALID_DATA, "the hash area is too short");
    memcpy(&raw, buffer, sizeof raw);

    if (memcmp(raw.signature, superblock_signature, sizeof raw.signature) != 0)
        return superblock_error(error, G_IO_ERROR_INVALID_DATA, "no signature, this is not a hash area");
    if (GUINT32_FROM_LE(raw.version) != 1 || GUINT32_FROM_LE(raw.hash_type) != 1)
        return superblock_error(error, G_IO_ERROR_NOT_SUPPORTED, "not format version 1");
    if (strncmp(raw.algorithm, "sha256", sizeof raw.algorithm) != 0)
        return superblock_error(error, G_IO_ERROR_NOT_SUPPORTED, "its algorithm is not sha256");
    if (GUINT32_FROM_LE(raw.data_block_size) != VERITY_BLOCK_SIZE ||
            GUINT32_FROM_LE(raw.hash_block_size) != VERITY_BLOCK_SIZE)
        return superblock_error(error, G_IO_ERROR_NOT_SUPPORTED, "its blocks do not have 4096 bytes");
    guint64 data_blocks = GUINT64_FROM_LE(raw.data_blocks);
    if (data_blocks == 0 || data_blocks > (G_MAXUINT64 >> 14))
        return superblock_error(error, G_IO_ERROR_INVALID_DATA, "an impossible number of data blocks");
    guint16 salt_size = GUINT16_FROM_LE(raw.salt_size);
    if (salt_size > VERITY_SALT_MAX)
        return superblock_error(error, G_IO_ERROR_INVALID_DATA, "an impossible salt size");

    *ret = (VeritySuperblock){.data_blocks = data_blocks, .salt_size = salt_size};
    memcpy(ret->uuid, raw.uuid, sizeof ret->uuid);
    memcpy(ret->salt, raw.salt, salt_size);
    return TRUE;
}

/* Index of the first of N digests in which A and B differ, VERITY_NO_BLOCK if none does. */
static guint64 first_difference(const guint8 *a, const guint8 *b, guint64 n) {
    if (memcmp(a, b, n * VERITY_DIGEST_SIZE) == 0)
        return VERITY_NO_BLOCK;
    guint64 i = 0;
    while (memcmp(a + i * VERITY_DIGEST_SIZE, b + i * VERITY_DIGEST_SIZE, VERITY_DIGEST_SIZE) == 0)
        i++;
    return i;
}

/* Checks every block of the stored tree in AREA against the digest in its parent; fills in the root hash. */
static void check_tree(const guint8 *area, guint64 area_size, VerityReport *report) {
    guint64 counts[LEVELS_MAX];
    guint n_levels = tree_levels(report->superblock.data_blocks, counts);
    const guint8 *salt = report->superblock.salt;
    gsize salt_size = report->superblock.salt_size;
    g_autoptr(Sha256) sha = sha256_new();

    const guint8 *level = area + area_size;
    for (guint i = 0; i < n_levels; i++) {
        level -= counts[i] * VERITY_BLOCK_SIZE;
        if (i + 1 == n_levels) {
            hash_blocks(sha, salt, salt_size, level, 1, report->root_hash);
            return;
        }
        g_autofree guint8 *digests = g_malloc_n(counts[i], VERITY_DIGEST_SIZE);
        hash_blocks(sha, salt, salt_size, level, counts[i], digests);
        const guint8 *parent = level - counts[i + 1] * VERITY_BLOCK_SIZE;
        guint64 bad = first_difference(digests, parent, counts[i]);
        if (bad != VERITY_NO_BLOCK)
            report->bad_hash_block =
                    MIN(report->bad_hash_block, (guint64) (level - area) / VERITY_BLOCK_SIZE + bad);
    }
}

gboolean verity_area_check(const guint8 *area, guint64 size, VeritySuperblock *ret,
        guint8 ret_root_hash[VERITY_DIGEST_SIZE], GError **error) {
    VerityReport report = {.bad_data_block = VERITY_NO_BLOCK, .bad_hash_block = VERITY_NO_BLOCK};

    if (!verity_superblock_parse(area, size, &report.superblock, error))
        return FALSE;
    if (report.superblock.data_blocks < 2)
        return superblock_error(error, G_IO_ERROR_NOT_SUPPORTED, "one block alone has no tree");
    guint64 area_size = verity_hash_area_size(report.superblock.data_blocks);
    if (area_size > size)
        return superblock_error(error, G_IO_ERROR_INVALID_DATA, "the tree does not fit the hash area");
    check_tree(area, area_size, &report);
    if (report.bad_hash_block != VERITY_NO_BLOCK)
        return superblock_error(error, G_IO_ERROR_INVALID_DATA, "the tree contradicts itself");
    *ret = report.superblock;
    memcpy(ret_root_hash, report.root_hash, VERITY_DIGEST_SIZE);
    return TRUE;
}

const guint8 *verity_area_leaves(const guint8 *area, const VeritySuperblock *superblock) {
    guint64 counts[LEVELS_MAX];

    tree_levels(superblock->data_blocks, counts);
    return area + verity_hash_area_size(superblock->data_blocks) - counts[0] * VERITY_BLOCK_SIZE;
}

void verity_digest_blocks(const VeritySuperblock *superblock, const void *data, gsize n_blocks, guint8 *ret_digests) {
    g_autoptr(Sha256) sha = sha256_new();

    hash_blocks(sha, superblock->salt, superblock->salt_size, data, n_blocks, ret_digests);
}

gboolean verity_verify(int data_fd, guint64 data_offset, guint64 data_size, int hash_fd, guint64 hash_offset,
        guint64 hash_size, guint threads, VerityReport *ret_report, GError **error) {
    VerityReport report = {.bad_data_block = VERITY_NO_BLOCK, .bad_hash_block = VERITY_NO_BLOCK};
    guint8 head[sizeof(RawSuperblock)];
    if (hash_size < sizeof head)
        return superblock_error(error, G_IO_ERROR_INVALID_DATA, "the hash area is too short");
    if (!pread_all(hash_fd, head, sizeof head, hash_offset, error)) {
        g_prefix_error(error, "verity superblock: ");
        return FALSE;
    }
    if (!verity_superblock_parse(head, sizeof head, &report.superblock, error))
        return FALSE;
    VeritySuperblock *superblock = &report.superblock;
    guint64 area_size = verity_hash_area_size(superblock->data_blocks);
    if (superblock->data_blocks > data_size / VERITY_BLOCK_SIZE)
        return superblock_error(error, G_IO_ERROR_INVALID_DATA, "it covers more than the data there is");
    if (area_size > hash_size)
        return superblock_error(error, G_IO_ERROR_INVALID_DATA, "the tree does not fit the hash area");

    g_autofree guint8 *area = g_try_malloc(area_size);
    if (!area)
        return superblock_error(error, G_IO_ERROR_FAILED, "not enough memory for its tree");
    if (!pread_all(hash_fd, area, area_size, hash_offset, error)) {
        g_prefix_error(error, "verity tree: ");
        return FALSE;
    }
    g_autoptr(VerityTree) tree =
            verity_hash_fd(data_fd, data_offset, superblock->data_blocks * VERITY_BLOCK_SIZE,
                    superblock->salt, superblock->salt_size, threads, error);
    if (!tree)
        return FALSE;

    guint64 counts[LEVELS_MAX];
    if (tree_levels(superblock->data_blocks, counts) > 0)
        report.bad_data_block = first_difference(
                tree->digests, area + area_size - counts[0] * VERITY_BLOCK_SIZE, superblock->data_blocks);
    else
        memcpy(report.root_hash, tree->digests, VERITY_DIGEST_SIZE);
    check_tree(area, area_size, &report);
    *ret_report = report;
    return TRUE;
}

void verity_partition_uuids(
        const guint8 root_hash[VERITY_DIGEST_SIZE], guint8 ret_data_uuid[16], guint8 ret_verity_uuid[16]) {
    memcpy(ret_data_uuid, root_hash, 16);
    memcpy(ret_verity_uuid, root_hash + VERITY_DIGEST_SIZE - 16, 16);
}
