/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/source/blocks.h"

#include <string.h>

#include "base/io.h"
#include "update/transfer/error.h"

#define BLOCK VERITY_BLOCK_SIZE
#define CHUNK_BLOCKS 256u
/* A gap that is larger is never asked for. */
#define GAP_MAX (16u * BLOCK)
/* Part of what is wanted that gaps may have. */
#define GAP_SHARE 25

typedef struct {
    int fd;
    guint64 offset;
    const guint8 *leaves;
    guint8 *owned; /* when they were hashed here */
    guint64 n;
} Place;

struct BlockSources {
    VeritySuperblock superblock;
    GArray *places;
    GHashTable *index; /* digest -> number of the block in all places, from 1 on */
    guint64 total;
};

static guint digest_hash(gconstpointer digest) {
    guint value;

    memcpy(&value, digest, sizeof value);
    return value;
}

static gboolean digest_equal(gconstpointer a, gconstpointer b) {
    return memcmp(a, b, VERITY_DIGEST_SIZE) == 0;
}

BlockSources *block_sources_new(const VeritySuperblock *superblock) {
    BlockSources *sources = g_new0(BlockSources, 1);

    sources->superblock = *superblock;
    sources->places = g_array_new(FALSE, FALSE, sizeof(Place));
    sources->index = g_hash_table_new(digest_hash, digest_equal);
    return sources;
}

void block_sources_free(BlockSources *sources) {
    if (!sources)
        return;
    g_hash_table_unref(sources->index);
    for (guint i = 0; i < sources->places->len; i++)
        g_free(g_array_index(sources->places, Place, i).owned);
    g_array_unref(sources->places);
    g_free(sources);
}

/* Digests of the blocks at OFFSET of FD; N is how many could be read. */
static guint8 *hash_blocks(const VeritySuperblock *superblock, int fd, guint64 offset, guint64 *n) {
    g_autofree guint8 *buffer = g_malloc(CHUNK_BLOCKS * BLOCK);
    guint8 *digests = g_malloc_n(MAX(*n, 1), VERITY_DIGEST_SIZE);
    guint64 at = 0;

    while (at < *n) {
        gsize chunk = MIN(*n - at, CHUNK_BLOCKS);
        if (pread_up_to(fd, buffer, chunk * BLOCK, offset + at * BLOCK) != (gssize) (chunk * BLOCK))
            break;
        verity_digest_blocks(superblock, buffer, chunk, digests + at * VERITY_DIGEST_SIZE);
        at += chunk;
    }
    *n = at;
    return digests;
}

/* The leaves of AREA, if they are of that salt and the blocks that they are about are there. */
static const guint8 *usable_leaves(
        const BlockSources *sources, guint64 size, const guint8 *area, guint64 area_size, guint64 *ret_n) {
    guint8 root_hash[VERITY_DIGEST_SIZE];
    VeritySuperblock superblock;

    if (!area || !verity_area_check(area, area_size, &superblock, root_hash, NULL) ||
            superblock.salt_size != sources->superblock.salt_size ||
            memcmp(superblock.salt, sources->superblock.salt, superblock.salt_size) != 0 ||
            superblock.data_blocks > size / BLOCK)
        return NULL;
    *ret_n = superblock.data_blocks;
    return verity_area_leaves(area, &superblock);
}

void block_sources_add(
        BlockSources *sources, int fd, guint64 offset, guint64 size, const guint8 *area, guint64 area_size) {
    Place place = {.fd = fd, .offset = offset, .n = size / BLOCK};

    place.leaves = usable_leaves(sources, size, area, area_size, &place.n);
    if (!place.leaves)
        place.leaves = place.owned = hash_blocks(&sources->superblock, fd, offset, &place.n);
    for (guint64 i = 0; i < place.n; i++)
        g_hash_table_insert(sources->index, (gpointer) (place.leaves + i * VERITY_DIGEST_SIZE),
                GSIZE_TO_POINTER(sources->total + i + 1));
    sources->total += place.n;
    g_array_append_val(sources->places, place);
}

/* Where a block with DIGEST is. */
static gboolean find_block(const BlockSources *sources, const guint8 *digest, int *ret_fd, guint64 *ret_offset) {
    gsize number = GPOINTER_TO_SIZE(g_hash_table_lookup(sources->index, digest));

    for (guint i = 0; number > 0 && i < sources->places->len; i++) {
        const Place *place = &g_array_index(sources->places, Place, i);
        if (number <= place->n) {
            *ret_fd = place->fd;
            *ret_offset = place->offset + (number - 1) * BLOCK;
            return TRUE;
        }
        number -= place->n;
    }
    return FALSE;
}

/* ---- ranges ---- */

typedef struct {
    guint64 first, n; /* blocks */
} Gap;

static int smaller_gap_first(gconstpointer a, gconstpointer b) {
    const Gap *x = a, *y = b;

    return x->n != y->n ? (x->n < y->n ? -1 : 1) : x->first < y->first ? -1 : x->first > y->first;
}

/* The gaps between blocks that are wanted, the smallest first, and how many blocks are. */
static GArray *find_gaps(const guint8 *wanted, guint64 n, guint64 *ret_wanted) {
    GArray *gaps = g_array_new(FALSE, FALSE, sizeof(Gap));
    guint64 last = n; /* wanted block before */

    *ret_wanted = 0;
    for (guint64 i = 0; i < n; i++) {
        if (!wanted[i])
            continue;
        if (last != n && i - last > 1) {
            Gap gap = {last + 1, i - last - 1};
            g_array_append_val(gaps, gap);
        }
        last = i;
        ++*ret_wanted;
    }
    g_array_sort(gaps, smaller_gap_first);
    return gaps;
}

GArray *blocks_merge(const guint8 *wanted, guint64 n, guint64 size) {
    GArray *ranges = g_array_new(FALSE, FALSE, sizeof(HttpRange));
    g_autofree guint8 *asked = g_memdup2(wanted, n);
    guint64 n_wanted, extra = 0;
    g_autoptr(GArray) gaps = find_gaps(wanted, n, &n_wanted);

    for (guint i = 0; i < gaps->len; i++) {
        const Gap *gap = &g_array_index(gaps, Gap, i);
        if (gap->n * BLOCK > GAP_MAX || (extra + gap->n) * GAP_SHARE > n_wanted)
            break;
        memset(asked + gap->first, 1, gap->n);
        extra += gap->n;
    }
    for (guint64 i = 0; i < n; i++) {
        HttpRange range = {i * BLOCK, 0};
        while (i < n && asked[i])
            i++;
        range.size = MIN(i * BLOCK, size) - MIN(range.offset, size);
        if (range.size > 0)
            g_array_append_val(ranges, range);
    }
    return ranges;
}

/* ---- installing ---- */

struct BlockInstall {
    const BlockInput *input;
    const guint8 *leaves;
    guint8 *wanted; /* a byte for each block */
    BlockProgress progress;
    gpointer data;
    BlockResult *result;
    guint64 arrived;
};

static gboolean put(BlockInstall *install, guint64 block, const guint8 *bytes, GError **error) {
    if (!pwrite_all(install->input->fd, bytes, BLOCK, install->input->offset + block * BLOCK, error)) {
        g_prefix_error(error, "Writing the slot: ");
        return FALSE;
    }
    install->wanted[block] = FALSE;
    install->result->written += BLOCK;
    return TRUE;
}

static gboolean is_block(const BlockInstall *install, guint64 block, const guint8 *bytes) {
    guint8 digest[VERITY_DIGEST_SIZE];

    verity_digest_blocks(&install->input->superblock, bytes, 1, digest);
    return digest_equal(digest, install->leaves + block * VERITY_DIGEST_SIZE);
}

/* Which blocks lie in their place already. */
static void keep_present(BlockInstall *install) {
    guint64 n = install->input->superblock.data_blocks, read = n;
    g_autofree guint8 *digests =
            hash_blocks(&install->input->superblock, install->input->fd, install->input->offset, &read);

    for (guint64 i = 0; i < n; i++) {
        install->wanted[i] =
                i >= read || !digest_equal(digests + i * VERITY_DIGEST_SIZE, install->leaves + i * VERITY_DIGEST_SIZE);
        install->result->kept += install->wanted[i] ? 0 : BLOCK;
    }
}

/* Copies what other slots have, and zeros. */
static gboolean copy_known(BlockInstall *install, const BlockSources *sources, GError **error) {
    static const guint8 zeros[BLOCK];
    guint8 zero_digest[VERITY_DIGEST_SIZE], bytes[BLOCK];

    verity_digest_blocks(&install->input->superblock, zeros, 1, zero_digest);
    for (guint64 i = 0; i < install->input->superblock.data_blocks; i++) {
        const guint8 *leaf = install->leaves + i * VERITY_DIGEST_SIZE;
        guint64 offset = 0;
        int fd = -1;
        if (!install->wanted[i])
            continue;
        gboolean zero = digest_equal(leaf, zero_digest);
        if (!zero && (!find_block(sources, leaf, &fd, &offset) || pread_up_to(fd, bytes, BLOCK, offset) != BLOCK ||
                             !is_block(install, i, bytes)))
            continue;
        if (!put(install, i, zero ? zeros : bytes, error))
            return FALSE;
        install->result->kept += BLOCK;
    }
    return TRUE;
}

/* ---- what others offer ---- */

gboolean block_install_wants(const BlockInstall *install, guint64 first, guint64 n) {
    guint64 all = install->input->superblock.data_blocks;

    return first < all && memchr(install->wanted + first, TRUE, MIN(n, all - first)) != NULL;
}

gboolean block_install_offer(BlockInstall *install, guint64 first, const guint8 *bytes, guint64 n, GError **error) {
    guint64 all = install->input->superblock.data_blocks;

    for (guint64 i = 0; i < n && first + i < all; i++) {
        if (!install->wanted[first + i] || !is_block(install, first + i, bytes + i * BLOCK))
            continue;
        if (!put(install, first + i, bytes + i * BLOCK, error))
            return FALSE;
        install->result->made += BLOCK;
    }
    return TRUE;
}

static guint64 count_wanted(const BlockInstall *install) {
    guint64 n = 0;

    for (guint64 i = 0; i < install->input->superblock.data_blocks; i++)
        n += install->wanted[i] ? BLOCK : 0;
    return n;
}

static gboolean ask_supply(BlockInstall *install, GError **error) {
    const BlockInput *input = install->input;
    guint64 wanted = count_wanted(install);

    return !input->supply || wanted == 0 || input->supply(input->supply_data, install, wanted, error);
}

/* ---- what is fetched ---- */

static gboolean on_bytes(gpointer data, guint64 offset, const guint8 *bytes, gsize size, GError **error) {
    BlockInstall *install = data;

    for (gsize at = 0; at + BLOCK <= size; at += BLOCK) {
        guint64 block = (offset + at) / BLOCK;
        if (block >= install->input->superblock.data_blocks || !install->wanted[block])
            continue;
        if (!is_block(install, block, bytes + at))
            return update_fail(error, UPDATE_ERROR_UNTRUSTED,
                    "%s: block %" G_GUINT64_FORMAT " is not what the signed hash tree says", install->input->name,
                    block);
        if (!put(install, block, bytes + at, error))
            return FALSE;
        install->arrived += BLOCK;
    }
    if (install->progress)
        install->progress(install->data, install->arrived, install->result->wanted);
    return TRUE;
}

/* Zeros from the end of the blocks to the end of the file, where there are none. */
static gboolean clear_tail(BlockInstall *install, GError **error) {
    static const guint8 zeros[BLOCK];
    const BlockInput *input = install->input;
    guint8 bytes[BLOCK];

    for (guint64 at = input->superblock.data_blocks * BLOCK; at < input->size; at += BLOCK) {
        gsize n = MIN(input->size - at, BLOCK);
        if (!pread_all(input->fd, bytes, n, input->offset + at, error))
            return FALSE;
        if (memcmp(bytes, zeros, n) == 0)
            continue;
        if (!pwrite_all(input->fd, zeros, n, input->offset + at, error))
            return FALSE;
        install->result->written += n;
    }
    return TRUE;
}

static gboolean fetch_wanted(BlockInstall *install, GError **error) {
    const BlockInput *input = install->input;
    guint64 n = input->superblock.data_blocks;

    install->result->wanted = count_wanted(install);
    g_autoptr(GArray) ranges = blocks_merge(install->wanted, n, input->size);
    if (!update_source_fetch(input->source, input->name, input->size, ranges, on_bytes, install, error))
        return FALSE;
    return memchr(install->wanted, TRUE, n) == NULL ||
           update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s: the source did not send all of it", input->name);
}

gboolean blocks_install(const BlockInput *input, const BlockSources *sources, BlockProgress progress, gpointer data,
        BlockResult *ret, GError **error) {
    guint64 n = input->superblock.data_blocks;

    *ret = (BlockResult){0};
    if (n > input->size / BLOCK)
        return update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s is shorter than its hash tree says", input->name);
    g_autofree guint8 *wanted = g_malloc0(n);
    BlockInstall install = {.input = input,
            .leaves = verity_area_leaves(input->area, &input->superblock),
            .wanted = wanted,
            .progress = progress,
            .data = data,
            .result = ret};
    keep_present(&install);
    return copy_known(&install, sources, error) && ask_supply(&install, error) && fetch_wanted(&install, error) && clear_tail(&install, error);
}
