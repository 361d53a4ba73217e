/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * dm-verity: a tree of salted SHA-256 digests over a block device, as the kernel's dm-verity target (format
 * version 1) and veritysetup's superblock define it. Blocks are always 4096 bytes, for data and for hashes.
 *
 * The hash area is: one block with the superblock, then the levels of the tree, the topmost first. A digest
 * covers the salt followed by one block; a hash block holds 128 digests, its rest is zero. The root hash is
 * the digest of the topmost block (of the only data block if there is one alone, then there is no tree).
 */

#include <gio/gio.h>

#define VERITY_BLOCK_SIZE 4096
#define VERITY_DIGEST_SIZE 32
#define VERITY_SALT_MAX 256

/* The tree of an image that is being written. Leaf digests are kept in memory, 32 bytes per block. */
typedef struct VerityTree VerityTree;

/* SALT: 0 to 256 bytes, copied. */
VerityTree *verity_tree_new(const guint8 *salt, gsize salt_size);
void verity_tree_free(VerityTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VerityTree, verity_tree_free)

const guint8 *verity_tree_get_salt(const VerityTree *tree, gsize *ret_size);

/* Stores digests of N_BLOCKS blocks from FIRST_BLOCK on, in any order and from any thread. The latest wins.
 */
void verity_tree_set_digests(VerityTree *tree, guint64 first_block, const guint8 *digests, gsize n_blocks);

/* Hashes N_BLOCKS blocks of DATA and stores the digests. Thread-safe. */
void verity_tree_update(VerityTree *tree, guint64 first_block, const void *data, gsize n_blocks);

/* Bytes of the hash area, superblock included, for DATA_BLOCKS blocks of data. */
guint64 verity_hash_area_size(guint64 data_blocks);

/*
 * Writes superblock and tree over the first DATA_BLOCKS blocks, each of which must have a digest, at OFFSET
 * of FD and hands out the root hash and (if not NULL) the bytes written.
 */
gboolean verity_tree_write(VerityTree *tree, guint64 data_blocks, int fd, guint64 offset,
        const guint8 uuid[16], guint8 ret_root_hash[VERITY_DIGEST_SIZE], guint64 *ret_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Hashes SIZE bytes (a multiple of 4096) at OFFSET of FD with THREADS threads (0: all processors) and
 * returns a tree that is ready for verity_tree_write().
 */
VerityTree *verity_hash_fd(int fd, guint64 offset, guint64 size, const guint8 *salt, gsize salt_size,
        guint threads, GError **error);

/* Superblock. */

typedef struct VeritySuperblock {
    guint8 uuid[16];
    guint64 data_blocks;
    gsize salt_size;
    guint8 salt[VERITY_SALT_MAX];
} VeritySuperblock;

/*
 * Reads a superblock from the start of a hash area. Foreign bytes: every field is checked; anything but
 * SHA-256, format 1 and 4096-byte blocks is G_IO_ERROR_NOT_SUPPORTED, garbage is G_IO_ERROR_INVALID_DATA.
 */
gboolean verity_superblock_parse(const guint8 *buffer, gsize size, VeritySuperblock *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The hash area alone: whoever updates has it before the data. */

/* Reads the superblock of the SIZE bytes at AREA and checks every block of the tree against the digest in its parent.
 * RET_ROOT_HASH is what the topmost block hashes to; whether it is the right one is for the caller to say. Foreign bytes.
 * One block of data alone has no tree, and is G_IO_ERROR_NOT_SUPPORTED. */
gboolean verity_area_check(const guint8 *area, guint64 size, VeritySuperblock *ret,
        guint8 ret_root_hash[VERITY_DIGEST_SIZE], GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The digests of the data blocks in an AREA that was checked, one behind the other. */
const guint8 *verity_area_leaves(const guint8 *area, const VeritySuperblock *superblock);

/* The digest of N_BLOCKS blocks of DATA, each with the salt of SUPERBLOCK. */
void verity_digest_blocks(const VeritySuperblock *superblock, const void *data, gsize n_blocks, guint8 *ret_digests);

/* Verification. */

#define VERITY_NO_BLOCK G_MAXUINT64

typedef struct VerityReport {
    VeritySuperblock superblock;
    guint8 root_hash[VERITY_DIGEST_SIZE]; /* what the stored tree's topmost block hashes to */
    guint64 bad_data_block; /* first data block that differs from its leaf, or VERITY_NO_BLOCK */
    guint64 bad_hash_block; /* first tree block (counted from the hash area's start) that differs
                               from its parent's digest of it, or VERITY_NO_BLOCK */
} VerityReport;

/*
 * Recomputes the tree over the data at DATA_OFFSET of DATA_FD (DATA_SIZE bytes are there at most) and
 * compares it with the one stored at HASH_OFFSET of HASH_FD (HASH_SIZE bytes at most). Returns FALSE only if
 * that could not be done; whether all is well is in REPORT: no bad block, and the root hash that the caller
 * trusts.
 */
gboolean verity_verify(int data_fd, guint64 data_offset, guint64 data_size, int hash_fd, guint64 hash_offset,
        guint64 hash_size, guint threads, VerityReport *ret_report, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The partition UUIDs that the Discoverable Partitions Specification derives from a root hash: the first
 * half names the data partition, the last half the verity partition. UUIDs are in textual (big-endian) byte
 * order.
 */
void verity_partition_uuids(
        const guint8 root_hash[VERITY_DIGEST_SIZE], guint8 ret_data_uuid[16], guint8 ret_verity_uuid[16]);
