/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "format/verity/verity.h"

/* The data is in front, the hash area behind it, in one unlinked temporary file. */
typedef struct {
    char *path;
    int fd;
    guint64 data_size;
    guint64 hash_size;
    guint8 root_hash[VERITY_DIGEST_SIZE];
} Image;

static const guint8 uuid[16] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0x4d, 0xef, 0x80, 1, 2, 3, 4, 5, 6, 7};

static void image_clear(Image *image) {
    close(image->fd);
    g_unlink(image->path);
    g_free(image->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Image, image_clear)

/* Bytes that differ from block to block. */
static guint8 *make_data(guint64 n_blocks) {
    guint8 *data = g_malloc(n_blocks * VERITY_BLOCK_SIZE);
    guint32 state = 1;
    for (guint64 i = 0; i < n_blocks * VERITY_BLOCK_SIZE; i++) {
        state = state * 1103515245 + 12345;
        data[i] = state >> 16;
    }
    return data;
}

static void image_init(Image *image, guint64 n_blocks, gsize salt_size) {
    g_autoptr(GError) error = NULL;
    guint8 salt[VERITY_SALT_MAX];
    memset(salt, 0xa5, sizeof salt);
    *image = (Image){.data_size = n_blocks * VERITY_BLOCK_SIZE};
    image->fd = g_file_open_tmp("verity-XXXXXX", &image->path, &error);
    g_assert_no_error(error);
    g_autofree guint8 *data = make_data(n_blocks);
    g_assert_true(pwrite_all(image->fd, data, image->data_size, 0, &error));
    g_autoptr(VerityTree) tree = verity_hash_fd(image->fd, 0, image->data_size, salt, salt_size, 2, &error);
    g_assert_no_error(error);
    g_assert_true(verity_tree_write(
            tree, n_blocks, image->fd, image->data_size, uuid, image->root_hash, &image->hash_size, &error));
    g_assert_no_error(error);
}

static VerityReport verify(const Image *image) {
    g_autoptr(GError) error = NULL;
    VerityReport report;
    g_assert_true(verity_verify(image->fd, 0, image->data_size, image->fd, image->data_size,
            image->hash_size, 2, &report, &error));
    g_assert_no_error(error);
    return report;
}

static void flip_byte(const Image *image, guint64 offset) {
    guint8 byte;
    g_assert_cmpint(pread(image->fd, &byte, 1, offset), ==, 1);
    byte ^= 0x40;
    g_assert_cmpint(pwrite(image->fd, &byte, 1, offset), ==, 1);
}

static char *hex(const guint8 *bytes, gsize size) {
    GString *text = g_string_new(NULL);
    for (gsize i = 0; i < size; i++)
        g_string_append_printf(text, "%02x", bytes[i]);
    return g_string_free(text, FALSE);
}

/* Sizes around the boundaries of levels: 1 block needs no tree, 128 one block of it, 16384 two levels. */
static const guint64 sizes[] = {1, 2, 127, 128, 129, 300, 16384, 16385};

static void test_roundtrip(void) {
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_auto(Image) image;
        image_init(&image, sizes[i], 32);
        VerityReport report = verify(&image);
        g_assert_cmpuint(report.bad_data_block, ==, VERITY_NO_BLOCK);
        g_assert_cmpuint(report.bad_hash_block, ==, VERITY_NO_BLOCK);
        g_assert_cmpmem(report.root_hash, 32, image.root_hash, 32);
        g_assert_cmpmem(report.superblock.uuid, 16, uuid, 16);
        g_assert_cmpuint(report.superblock.data_blocks, ==, sizes[i]);
        g_assert_cmpuint(image.hash_size, ==, verity_hash_area_size(sizes[i]));
    }
}

static void test_veritysetup(void) {
    g_autofree char *tool = g_find_program_in_path("veritysetup");
    if (!tool)
        tool = g_file_test("/usr/sbin/veritysetup", G_FILE_TEST_IS_EXECUTABLE)
                       ? g_strdup("/usr/sbin/veritysetup")
                       : NULL;
    if (!tool) {
        g_test_skip("veritysetup is not installed");
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_auto(Image) image;
        image_init(&image, sizes[i], i == 3 ? 0 : i == 4 ? 256 : 32);
        g_autofree char *root_hash = hex(image.root_hash, 32);
        g_autofree char *offset = g_strdup_printf("--hash-offset=%" G_GUINT64_FORMAT, image.data_size);
        const char *argv[] = {tool, "verify", image.path, image.path, root_hash, offset, NULL};
        g_autoptr(GError) error = NULL;
        g_autofree char *errors = NULL;
        int status;
        g_assert_true(
                g_spawn_sync(NULL, (char **) argv, NULL, 0, NULL, NULL, NULL, &errors, &status, &error));
        if (!g_spawn_check_wait_status(status, &error))
            g_error("veritysetup refuses %" G_GUINT64_FORMAT " blocks: %s", sizes[i], errors);
    }
}

/* Digests that arrive in any order, some of them twice, give the same tree as hashing what is on disk. */
static void test_out_of_order(void) {
    enum { N = 300 };
    g_auto(Image) image;
    image_init(&image, N, 32);
    g_autofree guint8 *data = make_data(N);
    guint8 salt[32], root_hash[32];
    memset(salt, 0xa5, sizeof salt);
    g_autoptr(VerityTree) tree = verity_tree_new(salt, sizeof salt);
    verity_tree_update(tree, 7, data, 9); /* wrong, replaced below */
    for (guint i = N; i > 0; i -= 3)
        verity_tree_update(tree, i - 3, data + (i - 3) * VERITY_BLOCK_SIZE, 3);
    AUTO_FD null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    g_autoptr(GError) error = NULL;
    g_assert_true(verity_tree_write(tree, N, null, 0, uuid, root_hash, NULL, &error));
    g_assert_cmpmem(root_hash, 32, image.root_hash, 32);
}

static void test_bad_data(void) {
    g_auto(Image) image;
    image_init(&image, 300, 32);
    flip_byte(&image, 211 * VERITY_BLOCK_SIZE + 17);
    flip_byte(&image, 299 * VERITY_BLOCK_SIZE);
    VerityReport report = verify(&image);
    g_assert_cmpuint(report.bad_data_block, ==, 211);
    g_assert_cmpuint(report.bad_hash_block, ==, VERITY_NO_BLOCK);
    g_assert_cmpmem(report.root_hash, 32, image.root_hash, 32);
}

static void test_bad_tree(void) {
    /* 300 blocks: superblock, topmost block, three leaf blocks. */
    g_auto(Image) leaf;
    image_init(&leaf, 300, 32);
    flip_byte(&leaf, leaf.data_size + 3 * VERITY_BLOCK_SIZE + 5);
    VerityReport report = verify(&leaf);
    g_assert_cmpuint(report.bad_hash_block, ==, 3);
    g_assert_cmpuint(report.bad_data_block, ==, 128);
    g_assert_cmpmem(report.root_hash, 32, leaf.root_hash, 32);

    g_auto(Image) padding;
    image_init(&padding, 300, 32);
    flip_byte(&padding, padding.data_size + 2 * VERITY_BLOCK_SIZE - 1);
    report = verify(&padding);
    g_assert_false(memcmp(report.root_hash, padding.root_hash, 32) == 0);

    /* A leaf that agrees with manipulated data still contradicts its parent. */
    g_auto(Image) single;
    image_init(&single, 1, 32);
    flip_byte(&single, 100);
    report = verify(&single);
    g_assert_false(memcmp(report.root_hash, single.root_hash, 32) == 0);
}

static void test_superblock_refused(void) {
    g_auto(Image) image;
    image_init(&image, 4, 32);
    guint8 good[512], bad[512];
    g_assert_cmpint(pread(image.fd, good, sizeof good, image.data_size), ==, sizeof good);
    VeritySuperblock superblock;
    g_assert_true(verity_superblock_parse(good, sizeof good, &superblock, NULL));
    g_assert_cmpuint(superblock.salt_size, ==, 32);

    static const struct {
        gsize offset;
        guint8 value;
        int code;
    } changes[] = {
            {0, 'V', G_IO_ERROR_INVALID_DATA},   /* signature */
            {8, 2, G_IO_ERROR_NOT_SUPPORTED},    /* version */
            {12, 0, G_IO_ERROR_NOT_SUPPORTED},   /* type of hash */
            {35, '5', G_IO_ERROR_NOT_SUPPORTED}, /* algorithm */
            {65, 2, G_IO_ERROR_NOT_SUPPORTED},   /* size of data blocks */
            {69, 4, G_IO_ERROR_NOT_SUPPORTED},   /* size of hash blocks */
            {72, 0, G_IO_ERROR_INVALID_DATA},    /* number of data blocks: none */
            {79, 0xff, G_IO_ERROR_INVALID_DATA}, /* too many */
            {81, 2, G_IO_ERROR_INVALID_DATA},    /* size of the salt */
    };
    for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
        memcpy(bad, good, sizeof bad);
        bad[changes[i].offset] = changes[i].value;
        g_autoptr(GError) error = NULL;
        g_assert_false(verity_superblock_parse(bad, sizeof bad, &superblock, &error));
        g_assert_error(error, G_IO_ERROR, changes[i].code);
    }
    g_assert_false(verity_superblock_parse(good, 511, &superblock, NULL));
}

/* A superblock that promises more than there is must not be believed. */
static void test_too_large(void) {
    g_auto(Image) image;
    image_init(&image, 300, 32);
    VerityReport report;
    g_autoptr(GError) error = NULL;
    g_assert_false(verity_verify(image.fd, 0, image.data_size - 1, image.fd, image.data_size,
            image.hash_size, 1, &report, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
    g_clear_error(&error);
    g_assert_false(verity_verify(image.fd, 0, image.data_size, image.fd, image.data_size,
            image.hash_size - 1, 1, &report, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}

static void test_partition_uuids(void) {
    guint8 root_hash[32], data[16], tree[16];
    for (guint i = 0; i < sizeof root_hash; i++)
        root_hash[i] = i;
    verity_partition_uuids(root_hash, data, tree);
    g_assert_cmpmem(data, 16, root_hash, 16);
    g_assert_cmpmem(tree, 16, root_hash + 16, 16);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/verity/roundtrip", test_roundtrip);
    g_test_add_func("/verity/veritysetup", test_veritysetup);
    g_test_add_func("/verity/out-of-order", test_out_of_order);
    g_test_add_func("/verity/bad-data", test_bad_data);
    g_test_add_func("/verity/bad-tree", test_bad_tree);
    g_test_add_func("/verity/superblock-refused", test_superblock_refused);
    g_test_add_func("/verity/too-large", test_too_large);
    g_test_add_func("/verity/partition-uuids", test_partition_uuids);
    return g_test_run();
}
